/** Several model servers behind one environment: a dead one fails nobody, a burst goes where there is room. */
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Clock } from "../program-under-test.ts";
import { GoUpstream } from "../upstream/go-upstream.ts";
import { countersOf, untilIdle } from "./gateway-counters.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";
import { closedUrl } from "../upstream/free-port.ts";

let gateway: StartedGateway;
let key: string;
let stoodAt: number | undefined;
const clock: Clock = { now: () => Date.now(), monotonic: () => stoodAt ?? performance.now() };
const opened: { close(): unknown }[] = [];
const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }] };

beforeAll(async () => {
  gateway = await startGateway({ clock });
  ({ key } = await gateway.issue({
    allow: ["infer:chat", "infer:embed", "models:list", "models:pull", "models:show"],
  }));
});
afterAll(() => gateway.stop());
afterEach(async () => {
  stoodAt = undefined;
  await untilIdle(gateway);
  for (const server of opened.splice(0)) await server.close();
});

async function replica(upstream = new GoUpstream()): Promise<string> {
  opened.push(upstream);
  return upstream.listen();
}

/** A server that takes connections and does with them what the test says. */
async function rawServer(onConnection: (socket: Socket) => void): Promise<string> {
  const server: Server = createServer(onConnection).listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => void sockets.add(socket.on("error", () => {})));
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function use(urls: readonly string[], more = ""): Promise<unknown> {
  const list = urls.map((url) => `{ url: "${url}"${more} }`).join(", ");
  return gateway.apply(`environments:\n  dev:\n    upstreams: [${list}]\n`);
}

async function ask(
  body: object = chat,
  path = "/api/chat",
): Promise<{ status: number; text: string; headers: Headers }> {
  const answer = await gateway.post(path, key, body);
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

test.each([0, 1])("one of two replicas is dead from the start (place %i): 0 of 200 requests fail", async (place) => {
  const urls = [await replica()];
  urls.splice(place, 0, await closedUrl());
  await use(urls);
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 4 === 0 ? ask({ ...chat, stream: false }) : ask())),
    );
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  }
});

test("a replica is killed under load: only requests whose answer had begun fail", async () => {
  const doomed = new GoUpstream();
  const good = new GoUpstream();
  const urls = [await replica(doomed), await replica(good)];
  await use(urls, ", concurrency: 4");
  let begun = 0;
  for (const upstream of [doomed, good])
    upstream.intercept = async (_seen, response) => {
      // Every second request to the doomed one begins its answer and is then in the middle of it.
      if (upstream === doomed && ++begun % 2 === 0) {
        response.writeHead(200, { "content-type": "application/x-ndjson" }).write('{"done":false}\n');
        await new Promise(() => {});
      }
      for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
      return false;
    };
  let killed: Promise<void> | undefined;
  const answers = await Promise.all(
    Array.from({ length: 60 }, async (_, n) => {
      const answer = ask();
      if (n === 59) {
        while (begun < 4) await new Promise((resolve) => setImmediate(resolve));
        killed = doomed.close();
      }
      return answer;
    }),
  );
  await killed;
  const failed = answers.filter(({ status, text }) => status !== 200 || !text.includes('"done":true'));
  expect(failed.filter(({ status, text }) => status !== 200 || !text.includes("upstream_broken"))).toEqual([]);
  expect(failed.length).toBeLessThanOrEqual(4);
  opened.shift();
});

test("a burst goes where there is room: 40 requests keep all of 2 x 2 slots busy to the last", async () => {
  // No request ends before every slot has one: a slot that stays empty while requests wait is waited for in vain.
  const held: (() => void)[][] = [[], []];
  const urls: string[] = [];
  for (const own of held) {
    const intercept = async (): Promise<boolean> => {
      await new Promise<void>((resolve) => own.push(resolve));
      return false;
    };
    urls.push(await replica(new GoUpstream({ intercept })));
  }
  await use(urls, ", concurrency: 2");
  const answers = Promise.all(Array.from({ length: 40 }, () => ask()));
  for (let round = 0; round < 10; round++) {
    while (held.flat().length < 4) await new Promise((resolve) => setImmediate(resolve));
    expect(held.map((own) => own.length)).toEqual([2, 2]);
    for (const release of held.flatMap((own) => own.splice(0))) release();
  }
  expect((await answers).filter(({ status }) => status !== 200)).toEqual([]);
});

test("all replicas are down: told at once, with the time to come back", async () => {
  await use([await closedUrl(), await closedUrl()]);
  // On a clock that stands still no wait ends.
  stoodAt = clock.monotonic();
  for (let n = 0; n < 20; n++) {
    // Each is told when the next try makes sense.
    const { status, text, headers } = await ask();
    expect([status, codeOf(text)]).toEqual([502, "upstream_unreachable"]);
    expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  }
});

test("a server that comes back is used again at once where there is no other", async () => {
  const upstream = new GoUpstream();
  const url = await upstream.listen();
  await use([url]);
  await upstream.close();
  expect((await ask()).status).toBe(502);
  expect((await ask()).status).toBe(502);
  const again = new GoUpstream();
  opened.push(again);
  await again.listen(Number(new URL(url).port));
  expect((await ask()).status).toBe(200);
});

test("a connection that rested and was closed by the other side fails nobody", async () => {
  const body = JSON.stringify({ model: "m", message: { role: "assistant", content: "x" }, done: true });
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  const requests: number[] = [];
  // It answers the first request of a connection, and closes when the second comes.
  const url = await rawServer((socket) => {
    let count = 0;
    socket.on("data", () => {
      requests.push(++count);
      if (count > 1) socket.destroy();
      else socket.write(head + body);
    });
  });
  await use([url]);
  for (let n = 0; n < 20; n++) expect((await ask({ ...chat, stream: false })).status).toBe(200);
  expect(requests.filter((count) => count > 1).length).toBeGreaterThan(0);
});

test("what manages models is never sent twice, and never over a connection that rested", async () => {
  let pulls = 0;
  const connections = new Set<Socket>();
  const url = await rawServer((socket) => {
    connections.add(socket);
    socket.on("data", () => {
      pulls++;
      socket.destroy();
    });
  });
  const other = new GoUpstream();
  await use([url, await replica(other)]);
  const { status, text } = await ask({ model: "llama3.2" }, "/api/pull");
  expect([status, codeOf(text), pulls, connections.size, other.deeds]).toEqual([502, "upstream_unreachable", 1, 1, []]);
});

const NO_TAGS = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

test("a request that breaks the connection is made twice, not more", async () => {
  let calls = 0;
  const poison = (socket: Socket): void =>
    void socket.on("data", (bytes: Buffer) => {
      // Whether the server has the model is asked as well; that is no request of the caller's.
      if (bytes.toString("latin1").startsWith("GET /api/tags")) socket.end(NO_TAGS);
      else {
        calls++;
        socket.destroy();
      }
    });
  await use([await rawServer(poison), await rawServer(poison), await rawServer(poison)]);
  expect((await ask()).status).toBe(502);
  expect(calls).toBe(2);
});

test("a replica that has not got the model does not draw its requests by failing fast", async () => {
  const lacking = new GoUpstream({
    intercept: (seen, response) => {
      if (seen.url !== "/api/chat") return false;
      response.writeHead(404, { "content-type": "application/json" }).end('{"error":"model not found"}');
      return true;
    },
  });
  await use([await replica(lacking), await replica()]);
  const statuses: number[] = [];
  for (let n = 0; n < 20; n++) statuses.push((await ask()).status);
  expect(statuses.filter((status) => status === 404).length).toBeLessThanOrEqual(1);
});

test("a request that waits for another replica is cut with its key, and gives everything back", async () => {
  const issued = await gateway.issue();
  let fail = (): void => {};
  const first = await rawServer((socket) => void (fail = () => socket.destroy()));
  const busy = new GoUpstream({ intercept: () => true });
  await use([first, await replica(busy)], ", concurrency: 1");
  const holders = [gateway.post("/api/chat", issued.key, chat), gateway.post("/api/chat", issued.key, chat)];
  while ((await countersOf(gateway)).upstreamRunning < 2) await new Promise((resolve) => setImmediate(resolve));
  while (busy.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
  fail();
  while ((await countersOf(gateway)).waiting < 1) await new Promise((resolve) => setImmediate(resolve));
  await gateway.admin("POST", `/v1/keys/${issued.id}/revoke`);
  const answers = await Promise.all(holders);
  expect(await Promise.all(answers.map(async (answer) => codeOf(await answer.text())))).toEqual([
    "key_revoked",
    "key_revoked",
  ]);
  await untilIdle(gateway);
});
