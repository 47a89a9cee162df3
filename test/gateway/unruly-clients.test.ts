/**
 * Clients that do whatever they like, in front of model servers that do whatever they like: cut, pipelined, malformed,
 * closed at any moment, read or not read. Whatever happened, in the end nothing is held.
 */
import { once } from "node:events";
import { createServer, connect } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { IDLE, countersOf, untilIdle } from "./gateway-counters.ts";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";
import { seeded } from "../hostile/hostile-texts.ts";

let gateway: StartedGateway;
let key: string;
const servers: Server[] = [];
const sockets = new Set<Socket>();

/** Numbers that are the same in each run. */
function numbers(seed: number): (below: number) => number {
  const random = seeded(seed);
  return (below) => Math.floor(random() * below);
}

const line = '{"model":"m","message":{"role":"assistant","content":"a"},"done":false}\n';
const ANSWERS = [
  "",
  "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n",
  `HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ncontent-length: ${line.length * 2}\r\n\r\n${line}`,
  `HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ncontent-length: ${line.length}\r\n\r\n${line}`,
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata:[DONE]\r\n\r\n",
  "HTTP/1.1 500 No\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nno",
  "HTTP/1.1 503 No\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n",
  "HTTP/1.1 302 There\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n",
  "nothing of HTTP\r\n\r\n",
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999999\r\n\r\n{"a":"${"x".repeat(70_000)}`,
];

async function unrulyServer(seed: number): Promise<string> {
  const next = numbers(seed);
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.on("data", () => {
      const answer = ANSWERS[next(ANSWERS.length)]!;
      if (answer !== "") socket.write(answer);
      if (next(3) === 0) socket.destroy();
      else if (next(4) === 0) socket.end();
    });
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  gateway = await startGateway();
  const urls = [await unrulyServer(1), await unrulyServer(2)];
  await gateway.apply(
    `environments:\n  dev:\n    upstreams: [{ url: "${urls[0]}", concurrency: 2 }, { url: "${urls[1]}", concurrency: 2 }]\n`,
  );
  ({ key } = await gateway.issue({
    allow: ["infer:chat", "infer:embed", "models:list", "models:show", "models:pull"],
  }));
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  await gateway.stop();
});

function requestOf(next: (below: number) => number): string {
  const chat = {
    model: "llama3.2",
    messages: [{ role: "user", content: "x".repeat(next(20_000)) }],
    stream: next(2) === 0,
  };
  const body = JSON.stringify(chat);
  const path = ["/api/chat", "/v1/chat/completions", "/api/show", "/api/pull", "/v1/models"][next(5)]!;
  const method = path === "/v1/models" ? "GET" : "POST";
  const head = `${method} ${path} HTTP/1.${next(8) === 0 ? 0 : 1}\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n`;
  const sent = method === "GET" ? "" : body;
  switch (next(8)) {
    case 0:
      return `HEAD /api/tags HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n\r\n`;
    case 1:
      return `${head}expect: 100-continue\r\ncontent-length: ${sent.length}\r\n\r\n${sent}`;
    case 2:
      return `${head}transfer-encoding: chunked\r\n\r\n${sent.length.toString(16)}\r\n${sent}\r\n0\r\n\r\n`;
    case 3:
      return next(2) === 0
        ? "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"
        : "CONNECT there:443 HTTP/1.1\r\nhost: localhost\r\n\r\n";
    case 4:
      return "\x16\x03\x01 nothing\r\n\r\n";
    default:
      return `${head}content-length: ${sent.length}\r\n\r\n${sent}`;
  }
}

async function unrulyClient(next: (below: number) => number): Promise<void> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  const gone = new Promise((resolve) => socket.once("close", resolve));
  if (next(3) > 0) socket.resume();
  let bytes = "";
  for (let count = 1 + next(4); count > 0; count--) bytes += requestOf(next);
  if (next(2) === 0) bytes = bytes.slice(0, next(bytes.length + 1));
  for (let at = 0; at < bytes.length && !socket.destroyed;) {
    const size = 1 + next(next(2) === 0 ? 200 : 100_000);
    socket.write(bytes.slice(at, at + size), "latin1");
    at += size;
    for (let turns = next(20); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
  }
  for (let turns = next(300); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
  const how = next(3);
  if (how === 0) socket.destroy();
  else if (how === 1) socket.resetAndDestroy();
  else socket.end().resume();
  await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 1_500))]);
  socket.destroy();
}

test("600 of them leave nothing behind, and the gateway goes on", async () => {
  const next = numbers(20_261_130);
  for (let round = 0; round < 30; round++) {
    await Promise.all(Array.from({ length: 20 }, (_, n) => unrulyClient(numbers(next(1e9) + n))));
  }
  await untilIdle(gateway);
  expect(await countersOf(gateway)).toEqual(IDLE);
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
}, 120_000);
