/** Addresses in settings: where we listen, and whom we speak to. */
import { isIP } from "node:net";

export interface Listener {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
}

export const RECEIVER_WANTED =
  "is not an http(s) address such as http://127.0.0.1:4318 (without user, query or fragment)";

/** An OTLP/HTTP receiver's base address. No credentials: a secret has no place in a setting. */
export function isReceiver(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === "");
}

/** https, or http on this machine. */
export function isNoticeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, hash } = new URL(text);
  if (username !== "" || password !== "" || hash !== "") return false;
  return (
    protocol === "https:" || (protocol === "http:" && isLoopback({ host: hostname.replace(/^\[|\]$/g, ""), port: 0 }))
  );
}

/** `127.0.0.1:11435`, `[::1]:11435`, `localhost:0`. */
export function parseListener(text: string): Listener | undefined {
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)):([0-9]{1,5})$/.exec(text);
  if (!parts || Number(parts[3]) > 65_535 || (parts[1] !== undefined && isIP(parts[1]) !== 6)) return undefined;
  return { host: parts[1] ?? parts[2] ?? "", port: Number(parts[3]) };
}

/** Only this machine can reach it. Names other than `localhost` may mean anything, so they are not. */
export function isLoopback(listener: Listener): boolean {
  return (
    listener.host === "localhost" ||
    listener.host === "::1" ||
    (isIP(listener.host) === 4 && listener.host.startsWith("127."))
  );
}
