/**
 * A client that closes its connection gives back everything it held, whatever its request was doing: pipelined, sending
 * its body, waiting for its turn, waiting for the model, in the middle of an answer it does not read.
 */
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { IDLE, countersOf, untilCounters, untilIdle } from "./gateway-counters.ts";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";
import { answerWithoutEnd } from "../upstream/endless-answer.ts";

let gateway: StartedGateway;
let key: string;
const open: Socket[] = [];
let running: ServerResponse[] = [];

beforeAll(async () => {
  gateway = await startGateway();
  const [upstream] = (await gateway.admin<{ upstreams: { url: string }[] }>("GET", "/v1/upstreams")).upstreams;
  await gateway.apply(`environments:\n  dev:\n    upstreams: [{ url: "${upstream!.url}", concurrency: 2 }]\n`);
  ({ key } = await gateway.issue());
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  running = [];
  gateway.upstream().intercept = undefined;
  await untilIdle(gateway);
});

async function client(): Promise<Socket> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  open.push(socket);
  await once(socket, "connect");
  return socket;
}

const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }] };

function request(path: string, body: object, more = "", method = "POST"): string {
  const text = JSON.stringify(body);
  return `${method} ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n${more}content-length: ${text.length}\r\n\r\n${text}`;
}

/** Remembers the answer, so that the test can see it end. */
function beginEndless(response: ServerResponse): void {
  running.push(response);
  answerWithoutEnd(response);
}

const closings: Readonly<Record<string, (socket: Socket) => void>> = {
  FIN: (socket) => void socket.end(),
  RST: (socket) => void socket.resetAndDestroy(),
  close: (socket) => void socket.destroy(),
};

describe.each(Object.entries(closings))("after %s", (_, close) => {
  async function expectAllBack(socket: Socket, isBusy: (counters: typeof IDLE) => boolean): Promise<void> {
    await untilCounters(gateway, isBusy);
    close(socket);
    await untilIdle(gateway);
    expect(await countersOf(gateway)).toEqual(IDLE);
  }

  test("two pipelined streams, twice: all slots are free again", async () => {
    gateway.upstream().intercept = (_seen, response) => {
      beginEndless(response);
      return true;
    };
    for (let n = 0; n < 2; n++) {
      const socket = await client();
      socket.resume();
      socket.write(request("/api/chat", chat).repeat(2));
      await expectAllBack(socket, ({ running: count }) => count > 0);
    }
    gateway.upstream().intercept = undefined;
    expect((await gateway.post("/api/chat", key, chat)).status).toBe(200);
  });

  test("a pipelined request behind an answer nobody reads", async () => {
    gateway.upstream().intercept = (_seen, response) => {
      beginEndless(response);
      return true;
    };
    const socket = await client();
    socket.write(request("/api/chat", chat).repeat(2));
    await expectAllBack(socket, ({ running: count }) => count > 0);
  });

  test("a pipelined request with a long body that nobody reads yet", async () => {
    gateway.upstream().intercept = () => true;
    const socket = await client();
    socket.write(request("/api/chat", chat));
    socket.write(request("/api/chat", { ...chat, messages: [{ role: "user", content: "x".repeat(1_000_000) }] }));
    await expectAllBack(socket, ({ running: count }) => count > 0);
  });

  test("half a body", async () => {
    const socket = await client();
    const whole = request("/api/chat", { ...chat, messages: [{ role: "user", content: "x".repeat(100_000) }] });
    socket.write(whole.slice(0, 50_000));
    await expectAllBack(socket, ({ heldBytes }) => heldBytes > 0);
  });

  test("before the body that was asked for with 100-continue", async () => {
    const socket = await client();
    const [head = "", body = ""] = request("/api/chat", chat, "expect: 100-continue\r\n").split("\r\n\r\n");
    socket.write(`${head}\r\n\r\n`);
    await once(socket, "data");
    socket.write(body.slice(0, 10));
    await expectAllBack(socket, ({ heldBytes }) => heldBytes > 0);
  });

  test("while the model thinks, streamed and in one piece", async () => {
    gateway.upstream().intercept = () => true;
    for (const body of [chat, { ...chat, stream: false }]) {
      const socket = await client();
      socket.write(request("/api/chat", body));
      await expectAllBack(socket, ({ upstreamRunning }) => upstreamRunning > 0);
    }
  });

  test("a HEAD that the model server does not answer", async () => {
    gateway.upstream().intercept = () => true;
    const socket = await client();
    socket.write(`HEAD /api/tags HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n\r\n`);
    await expectAllBack(socket, ({ upstreamRunning }) => upstreamRunning > 0);
  });

  test("in the queue, alone and with another request pipelined behind", async () => {
    gateway.upstream().intercept = () => true;
    const first = await client();
    const second = await client();
    first.write(request("/api/chat", chat));
    second.write(request("/api/chat", chat));
    await untilCounters(gateway, ({ upstreamRunning }) => upstreamRunning === 2);
    for (const count of [1, 3]) {
      const socket = await client();
      socket.write(request("/api/chat", chat).repeat(count));
      await untilCounters(gateway, ({ waiting }) => waiting === 1);
      close(socket);
      await untilCounters(gateway, ({ waiting }) => waiting === 0);
    }
    close(first);
    close(second);
    await untilIdle(gateway);
  });

  test("an answer above its high water that nobody reads", async () => {
    gateway.upstream().intercept = (_seen, response) => {
      beginEndless(response);
      return true;
    };
    const socket = await client();
    socket.pause();
    socket.write(request("/api/chat", chat));
    await expectAllBack(socket, ({ upstreamRunning }) => upstreamRunning > 0);
  });
});

test("pipelined requests are answered one after the other, in order", async () => {
  const socket = await client();
  const texts: string[] = [];
  socket.setEncoding("latin1").on("data", (text: string) => texts.push(text));
  socket.write(
    request("/api/show", { model: "llama3.2" }) +
      request("/api/chat", chat) +
      request("/api/chat", { ...chat, model: "other" }),
  );
  while ((texts.join("").match(/HTTP\/1\.1 /g) ?? []).length < 3) await once(socket, "data");
  expect([...texts.join("").matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(["200", "200", "403"]);
});

test.each([
  ["garbage", "\x01\x02 nothing\r\n\r\n"],
  ["a CONNECT", "CONNECT localhost:1 HTTP/1.1\r\nhost: localhost\r\n\r\n"],
])("%s behind a running answer closes the connection, and nothing is written into the answer", async (_, bytes) => {
  gateway.upstream().intercept = (_seen, response) => {
    response.writeHead(200, { "content-type": "application/x-ndjson" }).write('{"done":false}\n');
    return true;
  };
  const socket = await client();
  const texts: string[] = [];
  socket.setEncoding("latin1").on("data", (text: string) => texts.push(text));
  socket.write(request("/api/chat", chat));
  while (!texts.join("").includes("done")) await once(socket, "data");
  socket.write(bytes);
  await once(socket, "close");
  expect(texts.join("").match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200"]);
  expect(texts.join("")).not.toContain("Refused");
  await untilIdle(gateway);
});

test("an offer to upgrade behind a running answer waits for its turn, as any other request", async () => {
  let end = (): void => {};
  gateway.upstream().intercept = (_seen, response) => {
    response.writeHead(200, { "content-type": "application/x-ndjson" }).write('{"done":false}\n');
    end = () => void response.end('{"done":true}\n');
    return true;
  };
  const socket = await client();
  const texts: string[] = [];
  socket.setEncoding("latin1").on("data", (text: string) => texts.push(text));
  socket.write(request("/api/chat", chat));
  while (!texts.join("").includes("done")) await once(socket, "data");
  socket.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
  end();
  while ((texts.join("").match(/HTTP\/1\.1 \d+/g) ?? []).length < 2) await once(socket, "data");
  expect(texts.join("")).toMatch(/done":true[^]*HTTP\/1\.1 200/);
  socket.destroy();
  await untilIdle(gateway);
});
