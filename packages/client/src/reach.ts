/** The ways to reach an admin API: over the network, over the Unix socket beside the server, or inside this process. */
import { Pool } from "undici";

export type AdminTarget =
  /** `url` is `http://host:port` or `https://host:port`; `key` an admin key's text. */
  | { readonly url: string; readonly key: string }
  | { readonly socketPath: string }
  | { readonly handle: (request: Request) => Promise<Response> };

export interface Reached {
  readonly status: number;
  readonly text: string;
}

export interface Reach {
  /** `path` with its query; `body` is JSON text. */
  send(method: "GET" | "POST" | "DELETE", path: string, body: string | undefined): Promise<Reached>;
  close(): Promise<void>;
}

/** Longest answer taken in, bytes. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const TIMEOUT_MS = 60_000;
/** A name every server answers for; on the socket and in the process nobody looks it up. */
const LOCAL = "http://localhost";

export function reach(target: AdminTarget): Reach {
  if ("handle" in target) return reachInside(target.handle);
  if ("socketPath" in target) return reachNetwork(LOCAL, { socketPath: target.socketPath }, {});
  const { origin, protocol, pathname } = new URL(target.url);
  if (!/^https?:$/.test(protocol) || pathname !== "/")
    throw new TypeError("the admin URL must be http(s)://host:port, without a path");
  return reachNetwork(origin, {}, { authorization: `Bearer ${target.key}` });
}

function reachInside(handle: (request: Request) => Promise<Response>): Reach {
  return {
    async send(method, path, body) {
      const sent = body === undefined ? { method } : { method, body, headers: { "content-type": "application/json" } };
      const response = await handle(new Request(LOCAL + path, sent));
      return { status: response.status, text: await response.text() };
    },
    async close() {},
  };
}

function reachNetwork(origin: string, connect: { socketPath?: string }, credential: Record<string, string>): Reach {
  const pool = new Pool(origin, {
    connect,
    connections: 2,
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
    maxResponseSize: ANSWER_BYTES_MAX,
  });
  return {
    async send(method, path, body) {
      const headers = body === undefined ? credential : { ...credential, "content-type": "application/json" };
      const response = await pool.request({ method, path, headers, body: body ?? null });
      return { status: response.statusCode, text: await response.body.text() };
    },
    close: () => pool.close(),
  };
}
