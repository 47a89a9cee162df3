import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { ask } from "./ask.ts";
import { Upstream } from "./upstream.ts";

let server: Server;
let replica: Upstream;

async function serve(listener: RequestListener): Promise<void> {
  server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  replica = new Upstream("dev", { id: "u1", url }, { now: () => 0, random: () => 0 });
}

afterEach(async () => {
  await replica.destroy();
  server.closeAllConnections();
  server.close();
});

const bounds = { maxBytes: 100, timeoutMs: 5_000 };

test("a question gets its answer", async () => {
  await serve((request, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => void (body += piece.toString()));
    request.on("end", () => response.writeHead(404).end(`${request.method} ${request.url} ${body}`));
  });
  const { status, body } = await ask(replica, "POST", "/api/show", { model: "m" }, bounds);
  expect([status, body.toString()]).toEqual([404, 'POST /api/show {"model":"m"}']);
  expect((await ask(replica, "GET", "/api/tags", undefined, bounds)).body.toString()).toBe("GET /api/tags ");
});

test("an answer that is too long, one that is late, and a server that is not there are rejected", async () => {
  await serve((request, response) => void (request.url === "/long" && response.end("x".repeat(101))));
  await expect(ask(replica, "GET", "/long", undefined, bounds)).rejects.toThrow("passes its bound");
  await expect(ask(replica, "GET", "/late", undefined, { ...bounds, timeoutMs: 20 })).rejects.toThrow("in time");
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(ask(replica, "GET", "/gone", undefined, bounds)).rejects.toThrow();
});
