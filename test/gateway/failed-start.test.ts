/** A start that fails, at its first step or its last, leaves nothing behind: no listener, no lock, no process. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { initialize, openDatabase, openGateway } from "../program-under-test.ts";
import { testSettings } from "./started-gateway.ts";
import { freePort } from "../upstream/free-port.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function directory(): Promise<string> {
  const path = mkdtempSync(join(tmpdir(), "sallyport-test-"));
  closers.push(() => rmSync(path, { recursive: true, force: true }));
  await initialize(testSettings(path));
  return path;
}

async function occupied(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(true));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(false)));
  });
}

test("the admin listener cannot be opened: the data plane does not listen, and the directory is free", async () => {
  const path = await directory();
  const data = await freePort();
  const { port: admin } = await occupied();
  const listen = { listen: { host: "127.0.0.1", port: data }, adminListen: { host: "127.0.0.1", port: admin } };
  await expect(openGateway(testSettings(path, listen))).rejects.toThrow(/EADDRINUSE/);
  expect(await isTaken(data)).toBe(false);
  const gateway = await openGateway(testSettings(path));
  await gateway.close(100);
});

test("the store cannot be written: nothing listens, and the directory is free", async () => {
  const path = await directory();
  const [data, admin] = [await freePort(), await freePort()];
  const listen = { listen: { host: "127.0.0.1", port: data }, adminListen: { host: "127.0.0.1", port: admin } };
  // Another program holds the database: each commit fails, as on a broken disk.
  const other = openDatabase(join(path, "sallyport.db"), { isReadOnly: false });
  const settings = testSettings(path, listen);
  const opening = openGateway(settings);
  other.exec("BEGIN IMMEDIATE");
  await expect(opening).rejects.toThrow();
  other.exec("ROLLBACK");
  other.close();
  expect([await isTaken(data), await isTaken(admin)]).toEqual([false, false]);
  const gateway = await openGateway(testSettings(path));
  await gateway.close(100);
});
