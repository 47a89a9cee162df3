/** A flood of bad requests can neither fill the disk nor block a revocation. */
import { readdirSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());

function sizeOf(directory: string): number {
  let size = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) size += statSync(join(entry.parentPath, entry.name)).size;
  }
  return size;
}

const STATUS_LINE = "HTTP/1.1 401";

/** Sends `count` requests over one connection, many at a time, and resolves when as many answers have come. */
function pipeline(url: string, request: string, count: number): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answers = 0;
    let sent = 0;
    const socket = connect(Number(port), hostname);
    const batch = (): void => {
      const size = Math.min(100, count - sent);
      sent += size;
      socket.write(request.repeat(size));
    };
    socket.on("connect", batch).on("error", reject);
    let tail = "";
    socket.on("data", (chunk: Buffer) => {
      const text = tail + chunk.toString("latin1");
      const lines = text.split(STATUS_LINE);
      answers += lines.length - 1;
      // A status line may be cut in two: what is left of one is looked at again.
      tail = lines.at(-1)!.slice(1 - STATUS_LINE.length);
      if (answers >= sent && sent < count) batch();
      if (answers < count) return;
      socket.destroy();
      resolve();
    });
  });
}

test("100,000 unauthenticated requests: the data directory grows by less than 1 MB, and a revocation goes through meanwhile", async () => {
  const { id } = await gateway.issue();
  const before = sizeOf(gateway.directory);
  const body = '{"model":"llama3.2"}';
  const request = (n: number): string =>
    `POST /api/chat HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer sp_dev_${String(n).padStart(12, "0")}_bad\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const flood = Promise.all(Array.from({ length: 10 }, (_, n) => pipeline(gateway.url, request(n), 10_000)));
  const revoked = await gateway.admin<{ state: string }>("POST", `/v1/keys/${id}/revoke`);
  expect(revoked.state).toBe("revoked");
  await flood;
  expect(gateway.upstream().seen).toEqual([]);
  // What was counted is written when the gateway stops, at the latest.
  await gateway.restart();
  expect(sizeOf(gateway.directory) - before).toBeLessThan(1_000_000);
  const { records } = await gateway.admin<{ records: { fields: { code: string; count: number } }[] }>(
    "GET",
    "/v1/audit?type=request.unauthenticated&limit=1000",
  );
  const counted = records
    .filter((record) => record.fields.code === "credential_malformed")
    .reduce((sum, record) => sum + record.fields.count, 0);
  expect(counted).toBe(100_000);
});

test("a key that is refused over and over leaves one record each up to a rate, then a count", async () => {
  const { key } = await gateway.issue();
  for (let i = 0; i < 300; i++) {
    const answer = await gateway.post("/api/chat", key, { model: "secret", messages: [] });
    await answer.text();
    expect(answer.status).toBe(403);
  }
  await gateway.restart();
  const one = await gateway.admin<{ records: unknown[] }>("GET", "/v1/audit?type=request.refused&limit=1000");
  const many = await gateway.admin<{ records: { fields: { count: number } }[] }>(
    "GET",
    "/v1/audit?type=request.refused_coalesced&limit=1000",
  );
  expect(one.records.length).toBeLessThan(150);
  expect(one.records.length + many.records.reduce((sum, record) => sum + record.fields.count, 0)).toBe(300);
});
