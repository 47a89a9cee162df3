/**
 * The bytes of a request's body as they come from the connection. The web's stream around them costs the first call of a
 * process tens of milliseconds on the thread that serves requests, and each later one some garbage for every chunk.
 */
import type { IncomingMessage } from "node:http";

const arriving = new WeakMap<Request, IncomingMessage>();

/** Registers where the body of a request arrives. Unregistered requests are read as any web request. */
export function arrivesAt(request: Request, incoming: IncomingMessage): void {
  arriving.set(request, incoming);
}

/** Null = it can have none. Can be read once. */
export function bodyOf(request: Request): AsyncIterable<Uint8Array> | null {
  if (request.method === "GET") return null;
  const incoming = arriving.get(request);
  // Reading stopped, but the connection still has to carry the response.
  if (incoming) return incoming.iterator({ destroyOnReturn: false });
  return request.body as AsyncIterable<Uint8Array> | null;
}
