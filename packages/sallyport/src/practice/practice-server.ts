/**
 * A demo model server, for machines without Ollama: it serves every inference and listing route in the forms recorded
 * from a real Ollama, and every reply says that it is a demo. It stores nothing and ends with the program. It listens
 * on loopback and trusts its caller: only the gateway talks to it, in the gateway's own serialization.
 */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { listings, shown, streamOf, wholeOf } from "./practice-answers.ts";
import type { Asked } from "./practice-answers.ts";

export interface PracticeServer {
  readonly url: string;
  close(): void;
}

/** `paceMs`: time between two pieces of a streamed answer. */
export async function startPractice(paceMs = 40): Promise<PracticeServer> {
  const server = createServer((request, response) => {
    readAsked(request).then(
      (asked) => answer(request, response, asked, paceMs),
      () => response.writeHead(400).end(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function readAsked(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const type = request.headers["content-type"] ?? "";
  if (chunks.length === 0 || !type.startsWith("application/json")) return {};
  return JSON.parse(Buffer.concat(chunks).toString("utf8")) as Asked;
}

function answer(request: IncomingMessage, response: ServerResponse, asked: Asked, paceMs: number): void {
  const path = request.url ?? "/";
  const listing = listings[path];
  if (listing) return sendJson(response, 200, listing);
  if (path === "/api/show" || path.startsWith("/v1/models/")) return sendJson(response, 200, shown(path));
  const stream = asked.stream === true ? streamOf(path, asked) : undefined;
  if (stream) return sendStream(response, stream.type, stream.pieces, paceMs);
  const whole = wholeOf(path, asked);
  if (whole) return sendJson(response, 200, whole);
  sendJson(response, 501, { error: "the demo model server does not manage models: start Ollama for that" });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
}

function sendStream(response: ServerResponse, type: string, pieces: readonly string[], paceMs: number): void {
  response.writeHead(200, { "content-type": type });
  let sent = 0;
  const next = (): void => {
    if (response.destroyed) return;
    if (sent === pieces.length) response.end();
    else {
      response.write(pieces[sent++]);
      setTimeout(next, paceMs);
    }
  };
  next();
}
