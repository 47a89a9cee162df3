/** A body nobody reads, or that comes too slowly, holds neither a connection nor anybody's place. */
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { systemClock } from "../program-under-test.ts";
import { countersOf, untilCounters, untilIdle } from "./gateway-counters.ts";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
let leapMs = 0;
const clock = { now: () => systemClock.now(), monotonic: () => systemClock.monotonic() + leapMs };
const open: Socket[] = [];
beforeAll(async () => {
  gateway = await startGateway({
    clock,
    settings: { inFlightBytesMax: 128 * 1024 * 1024 },
    moreYaml:
      "roles:\n  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }\nassign: [{ group: bots, role: bot, in: [dev] }]\n",
  });
});
afterAll(() => gateway.stop());
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  await untilIdle(gateway);
});

/** Sends this and never the rest. */
async function begin(head: string, body: string | Buffer = "{"): Promise<Socket> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname).on("error", () => {});
  open.push(socket);
  await once(socket, "connect");
  socket.write(`${head}\r\n\r\n`);
  socket.write(body);
  return socket;
}

async function firstLine(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, "data")) as [Buffer];
  return chunk.toString("latin1").split("\r\n", 1)[0]!;
}

const upload = (key: string, length = 30_000_000): string =>
  `POST /api/chat HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\ncontent-length: ${length}`;
const CHAT = { model: "llama3.2", stream: false, messages: [{ role: "user", content: "hi" }] };

test("after a denial the rest of a body has some seconds, then the connection is closed", async () => {
  const socket = await begin("POST /api/chat HTTP/1.1\r\nhost: localhost\r\ncontent-length: 60000");
  const closed = once(socket, "close");
  expect(await firstLine(socket)).toMatch(/^HTTP\/1\.1 401 /);
  // It is seen within a second, and then again when its time is over.
  const leaping = setInterval(() => (leapMs += 5_000), 500);
  await closed;
  clearInterval(leaping);
});

test("a key that may run one request sends one body at a time", async () => {
  const { key } = await gateway.issue({ limits: { concurrency: 1 } });
  await begin(upload(key), Buffer.alloc(1_000_000, " "));
  await untilCounters(gateway, ({ heldBytes }) => heldBytes > 0);
  for (let i = 0; i < 8; i++) expect(await firstLine(await begin(upload(key)))).toMatch(/^HTTP\/1\.1 429 /);
  expect((await countersOf(gateway)).heldBytes).toBeLessThanOrEqual(1_000_001);
});

test("one key, and one person with many, hold a part of the memory: everybody else chats", async () => {
  const eve = { kind: "person", name: "eve", groups: ["bots"] };
  const { id: owner } = await gateway.admin<{ id: string }>("POST", "/v1/principals", eve);
  const wish = { owner, allow: ["infer:chat"] };
  const keys = [await gateway.issue(wish), await gateway.issue(wish), await gateway.issue(wish)];
  const victim = await gateway.issue();
  const body = Buffer.alloc(28_000_000, " ");
  for (const { key } of keys.slice(0, 2)) await begin(upload(key), body);
  await untilCounters(gateway, ({ heldBytes }) => heldBytes === 56_000_000);
  // A second one of the same key, and one of the same person's third key.
  for (const { key } of keys.slice(1))
    expect(await firstLine(await begin(upload(key), body))).toMatch(/^HTTP\/1\.1 503 /);
  for (let i = 0; i < 5; i++) {
    const answer = await gateway.post("/api/chat", victim.key, CHAT);
    expect([answer.status, (await answer.text()).includes("overloaded")]).toEqual([200, false]);
  }
});

test("a body that drips is given up", async () => {
  const { key } = await gateway.issue();
  const socket = await begin(upload(key, 1_000));
  await untilCounters(gateway, ({ heldBytes }) => heldBytes > 0);
  leapMs += 11_000;
  socket.write(" ");
  expect(await firstLine(socket)).toMatch(/^HTTP\/1\.1 408 /);
});
