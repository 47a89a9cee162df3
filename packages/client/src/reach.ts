/**
 * The ways to reach an admin API: over the network, over the Unix socket on the gateway host, or inside this process.
 */
import { Client, Pool } from "undici";
import { demandSafeTransport, GatewayUnreachable } from "./transport.ts";

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
  /** An answer that goes on: its bytes as they come. Ended by leaving the loop over them. */
  stream(path: string, headers: Readonly<Record<string, string>>): Promise<Streamed>;
  close(): Promise<void>;
}

export interface Streamed {
  readonly status: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** A stream in which nothing is said for so long, not even that nothing happens, is broken. */
const SILENCE_MS = 60_000;
/** Longest answer taken in, bytes. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const TIMEOUT_MS = 60_000;
/** A name that every server accepts; on the socket and in the process it is never resolved. */
const LOCAL = "http://localhost";

export function reach(target: AdminTarget): Reach {
  if ("handle" in target) return reachInside(target.handle);
  if ("socketPath" in target) return reachNetwork(LOCAL, { socketPath: target.socketPath }, {});
  const { origin, protocol, pathname } = new URL(target.url);
  if (!/^https?:$/.test(protocol) || pathname !== "/")
    throw new TypeError("the admin URL must be http(s)://host:port, without a path");
  demandSafeTransport(origin);
  return reachNetwork(origin, {}, { authorization: `Bearer ${target.key}` });
}

function reachInside(handle: (request: Request) => Promise<Response>): Reach {
  return {
    async send(method, path, body) {
      const sent = body === undefined ? { method } : { method, body, headers: { "content-type": "application/json" } };
      const response = await handle(new Request(LOCAL + path, sent));
      return { status: response.status, text: await response.text() };
    },
    async stream(path, headers) {
      const { status, body } = await handle(new Request(LOCAL + path, { headers }));
      return { status, chunks: (body ?? []) as AsyncIterable<Uint8Array> };
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
      const response = await pool.request({ method, path, headers, body: body ?? null }).catch((cause: unknown) => {
        throw new GatewayUnreachable(connect.socketPath ?? origin, cause);
      });
      return { status: response.statusCode, text: await response.body.text() };
    },
    async stream(path, headers) {
      // A separate connection, without a bound on its duration: it lasts as long as the caller listens.
      const client = new Client(origin, { connect, headersTimeout: TIMEOUT_MS, bodyTimeout: SILENCE_MS });
      try {
        const { statusCode, body } = await client.request({
          method: "GET",
          path,
          headers: { ...credential, ...headers },
        });
        return { status: statusCode, chunks: untilLeft(body, () => client.destroy()) };
      } catch (cause) {
        await client.destroy();
        throw new GatewayUnreachable(connect.socketPath ?? origin, cause);
      }
    },
    close: () => pool.close(),
  };
}

async function* untilLeft(chunks: AsyncIterable<Uint8Array>, end: () => Promise<void>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } finally {
    await end();
  }
}
