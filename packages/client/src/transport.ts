/** How a credential leaves this machine: over TLS or to this machine itself, and with an error that says which address failed. */
import { Problem } from "@sallyport/protocol";

/** Throws `transport_unsafe` if others on the path could read what is sent. Anything but TLS and loopback is unsafe. */
export function demandSafeTransport(address: string | URL): void {
  if (!isSafeTransport(address))
    throw new Problem("transport_unsafe", `${new URL(address).origin} is neither https nor on this machine`);
}

export function isSafeTransport(address: string | URL): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "https:" || (protocol === "http:" && isLoopbackHost(hostname));
}

/** As `URL` writes a host: every spelling of an IPv4 address has become `127.0.0.1` by then. */
function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.[0-9]+\.[0-9]+\.[0-9]+$/.test(hostname);
}

/** Nothing answered at an address. `code` is the system's or the TLS library's, where there is one. */
export class GatewayUnreachable extends Error {
  readonly where: string;
  readonly code: string | undefined;

  constructor(where: string, cause: unknown) {
    const inner = innermost(cause);
    super(`cannot reach ${where}: ${inner.message || inner.code || "no reason was given"}`, { cause });
    this.name = "GatewayUnreachable";
    this.where = where;
    this.code = inner.code;
  }
}

type Send = typeof fetch;

/** One request that carries a credential. Throws `transport_unsafe` before anything is sent, and `GatewayUnreachable`. */
export async function sendToGateway(send: Send, url: string, init: RequestInit): Promise<Response> {
  demandSafeTransport(url);
  try {
    return await send(url, { ...init, redirect: "error" });
  } catch (cause) {
    throw new GatewayUnreachable(new URL(url).origin, cause);
  }
}

export async function readJson(answer: Response): Promise<Readonly<Record<string, unknown>>> {
  const text = await answer.text();
  try {
    const said: unknown = JSON.parse(text);
    if (typeof said === "object" && said !== null) return said as Readonly<Record<string, unknown>>;
  } catch {
    // Said below.
  }
  throw new Error(
    `${answer.url} returned ${answer.status} with something that is not a JSON object: is this a Sallyport gateway?`,
  );
}

/** `fetch failed` says nothing: the reason is in what caused it. */
function innermost(cause: unknown): { readonly message: string; readonly code: string | undefined } {
  let inner = cause;
  for (let depth = 0; depth < 5; depth++) {
    const next: unknown =
      inner instanceof AggregateError ? inner.errors[0] : inner instanceof Error ? inner.cause : undefined;
    if (!(next instanceof Error)) break;
    inner = next;
  }
  if (!(inner instanceof Error)) return { message: String(inner), code: undefined };
  const code: unknown = "code" in inner ? inner.code : undefined;
  return { message: inner.message, code: typeof code === "string" ? code : undefined };
}
