/** A client that does not read its answer, or drips, holds a slot no longer than policy says; one that reads slowly is served. */
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { systemClock } from "../program-under-test.ts";
import { countersOf, untilCounters, untilIdle } from "./gateway-counters.ts";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";
import { answerWithoutEnd } from "../upstream/endless-answer.ts";

let gateway: StartedGateway;
let key: string;
let leapMs = 0;
const clock = { now: () => systemClock.now(), monotonic: () => systemClock.monotonic() + leapMs };
const open: Socket[] = [];

beforeAll(async () => {
  gateway = await startGateway({ clock, environmentYaml: "    readerStall: 30s\n" });
  ({ key } = await gateway.issue());
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.upstream().intercept = (_seen, response) => {
    answerWithoutEnd(response);
    return true;
  };
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  await untilIdle(gateway);
});

/** A client that takes so many bytes at a time, and only when it is told to. */
async function client(path = "/api/chat"): Promise<Socket> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect({
    port: Number(port),
    host: hostname,
    onread: { buffer: Buffer.alloc(64), callback: () => false },
  });
  socket.on("error", () => {});
  open.push(socket);
  await once(socket, "connect");
  socket.write(chatRequest(path));
  await untilCounters(gateway, ({ running }) => running > 0);
  return socket;
}

function chatRequest(path: string): string {
  const body = JSON.stringify({ model: "llama3.2", messages: [{ role: "user", content: "x" }] });
  return `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** Until the gateway has looked at its connections: it does each second. */
async function looked(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 2_100));
}

test("a client that reads nothing is disconnected after the bound, and not before", async () => {
  await client();
  await looked();
  leapMs += 20_000;
  await looked();
  expect((await countersOf(gateway)).running).toBe(1);
  leapMs += 20_000;
  await untilIdle(gateway);
  expect(await gateway.lastOutcome()).toMatchObject({ outcome: "client_stalled" });
});

test("a client that drips is disconnected too", async () => {
  const socket = await client();
  const drip = setInterval(() => socket.resume(), 20);
  await looked();
  leapMs += 40_000;
  await untilIdle(gateway);
  clearInterval(drip);
  expect(await gateway.lastOutcome()).toMatchObject({ outcome: "client_stalled" });
});

test("an answer that is over but not read keeps neither its bytes nor its connection for ever", async () => {
  const text = "x".repeat(6_000_000);
  gateway.upstream().intercept = (_seen, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ model: "m", message: { role: "assistant", content: text }, done: true }));
    return true;
  };
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname).pause();
  open.push(socket.on("error", () => {}));
  socket.write(chatRequest("/api/chat"));
  await looked();
  leapMs += 40_000;
  await looked();
  let read = 0;
  socket.on("data", (piece: Buffer) => void (read += piece.length)).resume();
  await once(socket, "close");
  expect(read).toBeLessThan(text.length);
});

test("a client that closes its half and reads nothing holds no slot, and its connection ends", async () => {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }).pause();
  open.push(socket.on("error", () => {}));
  socket.end(chatRequest("/api/chat"));
  await looked();
  await untilIdle(gateway);
  leapMs += 40_000;
  await looked();
  const closed = once(socket, "close");
  socket.resume();
  await closed;
});

test("a client that waits for its model is no reader who stalls", async () => {
  let go = (): void => {};
  gateway.upstream().intercept = async () => {
    await new Promise<void>((resolve) => void (go = resolve));
    return false;
  };
  const body = { model: "llama3.2", messages: [{ role: "user", content: "x" }] };
  const answer = gateway.post("/api/chat", key, body);
  await untilCounters(gateway, ({ upstreamRunning }) => upstreamRunning > 0);
  await looked();
  leapMs += 60_000;
  await looked();
  go();
  expect((await answer).status).toBe(200);
});
