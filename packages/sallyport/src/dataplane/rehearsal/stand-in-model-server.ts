/** The model server of a rehearsal: it answers at once, on a Unix socket in the data directory, and runs no model. */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { PacedSocket } from "../upstream/paced-socket.ts";
import type { Connector } from "../upstream/undici.ts";

const CHUNKS = 4;

interface Answers {
  readonly type: string;
  readonly line: string;
  readonly last: string;
  readonly whole: string;
}

const native: Answers = {
  type: "application/x-ndjson",
  line: '{"model":"rehearsal","created_at":"2026-01-01T00:00:00.000000000Z","message":{"role":"assistant","content":"word"},"done":false}\n',
  last: '{"model":"rehearsal","created_at":"2026-01-01T00:00:00.000000000Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":24,"eval_count":4}\n',
  whole:
    '{"model":"rehearsal","created_at":"2026-01-01T00:00:00.000000000Z","message":{"role":"assistant","content":"word"},"done":true,"done_reason":"stop","prompt_eval_count":24,"eval_count":1}',
};
const compatible: Answers = {
  type: "text/event-stream",
  line: 'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"rehearsal","choices":[{"index":0,"delta":{"role":"assistant","content":"word"},"finish_reason":null}]}\n\n',
  last: 'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"rehearsal","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
  whole:
    '{"id":"c","object":"chat.completion","created":1,"model":"rehearsal","choices":[{"index":0,"message":{"role":"assistant","content":"word"},"finish_reason":"stop"}],"usage":{"prompt_tokens":24,"completion_tokens":1,"total_tokens":25}}',
};

export function createStandInModelServer(): Server {
  return createServer(answer);
}

/** How a pool connects to the Unix socket at this path, whatever address the pool has. */
export function connectTo(path: string): Connector {
  return (_options, callback) => {
    const socket = new PacedSocket();
    socket.once("error", (cause) => callback(cause, null)).once("connect", () => callback(null, socket));
    socket.connect({ path });
  };
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === "GET") return void response.end('{"models":[]}');
  let body = "";
  request.setEncoding("latin1").on("data", (chunk: string) => (body += chunk));
  request.on("end", () => {
    const { type, line, last, whole } = request.url!.startsWith("/v1/") ? compatible : native;
    if (body.includes('"stream":false')) {
      response.writeHead(200, { "content-type": "application/json", "content-length": whole.length }).end(whole);
      return;
    }
    response.writeHead(200, { "content-type": type });
    let sent = 0;
    const next = (): void => {
      if (sent++ === CHUNKS) return void response.end(last);
      response.write(line);
      setImmediate(next);
    };
    next();
  });
}
