/** Where mail goes, as settings write it: a server's address and addresses of people, nothing that could be a second header. */
import { isIP } from "node:net";
import { isLoopback } from "./listener-address.ts";

export const SMTP_WANTED =
  "is not smtps://user@host:465, or smtp://user@host:587 (with STARTTLS), without password, path or query";
export const MAIL_ADDRESS_WANTED = "is not an address such as gateway@example.org, without a name";

export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. */
  readonly isTls: boolean;
  /** On this machine, where mail may go without TLS. */
  readonly isLoopback: boolean;
  readonly user: string | null;
}

const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
const ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

export function parseMailServer(text: string): MailServer | undefined {
  if (!/^smtps?:\/\//.test(text) || !URL.canParse(text)) return undefined;
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  if (password !== "" || !/^\/?$/.test(pathname) || search !== "" || hash !== "") return undefined;
  const host = hostname.replace(/^\[|\]$/g, "");
  if (!HOST.test(host) && isIP(host) === 0) return undefined;
  const isTls = protocol === "smtps:";
  const user = username === "" ? null : decoded(username);
  if (user === undefined) return undefined;
  const number = port === "" ? (isTls ? 465 : 587) : Number(port);
  if (number === 0) return undefined;
  return { host, port: number, isTls, isLoopback: isLoopback({ host, port: 0 }), user };
}

export function isMailAddress(text: string): boolean {
  return ADDRESS.test(text);
}

/** Visible characters alone: an address as user is written with %40. */
function decoded(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text);
    return /^[\x21-\x7e]{1,256}$/.test(plain) ? plain : undefined;
  } catch {
    return undefined;
  }
}
