/** A small question of the gateway's own to one replica (its models, its version): a bounded body, a bounded time. */
import type { Dispatcher } from "undici";
import type { Upstream } from "./upstream.ts";

export interface AskBounds {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

export interface Reply {
  readonly status: number;
  readonly body: Buffer;
}

/** Rejects where the replica cannot be reached, is late, or says more than it may. Redirects are returned, never followed. */
export function ask(
  replica: Pick<Upstream, "pool" | "host" | "authorization">,
  method: "GET" | "POST",
  path: string,
  body: object | undefined,
  bounds: AskBounds,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let status = 0;
    let controller: Dispatcher.DispatchController | null = null;
    let isOver = false;
    const timer = setTimeout(() => end(new Error("the model server did not respond in time")), bounds.timeoutMs);
    function end(cause: Error | null): void {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      if (cause === null) return resolve({ status, body: Buffer.concat(chunks, size) });
      controller?.abort(cause);
      reject(cause);
    }
    const text = body === undefined ? null : JSON.stringify(body);
    const headers = ["host", replica.host, "user-agent", "sallyport", "accept", "application/json"];
    if (text !== null) headers.push("content-type", "application/json");
    const { authorization } = replica;
    if (authorization !== undefined) headers.push("authorization", authorization);
    replica.pool.dispatch(
      { method, path, headers, body: text, headersTimeout: 0, bodyTimeout: 0 },
      {
        onRequestStart(started) {
          controller = started;
          if (isOver) started.abort(new Error("over before it began"));
        },
        onResponseStart(_controller, code) {
          status = code;
        },
        onResponseData(_controller, chunk: Buffer) {
          size += chunk.length;
          if (size > bounds.maxBytes) return end(new Error("the model server's answer passes its bound"));
          if (!isOver) chunks.push(chunk);
        },
        onResponseEnd: () => end(null),
        onResponseError: (_controller, error) => end(error),
      },
    );
  });
}
