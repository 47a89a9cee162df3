/** The two doors of administration as they are really opened: TCP with admin keys, the Unix socket without. */
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AdminClient } from "@sallyport/client";
import { Problem } from "@sallyport/protocol";
import { createAdminServer, everything, HostNames, makeAddressRules } from "../program-under-test.ts";
import type { AdminServer } from "../program-under-test.ts";
import { MemoryGateway } from "./memory-ports.ts";

let directory: string;
let socketPath: string;
let gateway: MemoryGateway;
let server: AdminServer;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-doors-"));
  socketPath = join(directory, "admin.sock");
  gateway = new MemoryGateway();
  server = makeServer();
  await server.listen({ host: "127.0.0.1", port: 0 });
});

afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

function makeServer(): AdminServer {
  const { app } = gateway;
  return createAdminServer({
    app,
    hosts: new HostNames(["gate.example"]),
    tls: null,
    socketPath,
    addresses: makeAddressRules([]),
    connectionsMax: { tcp: 64, socket: 16 },
  });
}

/** Sends the target exactly as written, which no ordinary client does. */
function rawGet(path: string, headers: Record<string, string | string[]> = {}): Promise<number | undefined> {
  const { hostname, port } = new URL(server.url());
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ hostname, port, path, headers }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    });
    asked.on("error", reject).end();
  });
}

describe("over TCP", () => {
  it("opens to an admin key, and to nothing else", async () => {
    const client = new AdminClient({ url: server.url(), key: gateway.adminKey(everything) });
    expect((await client.call("status")).version).toBe("0");
    await client.close();
    const stranger = new AdminClient({ url: server.url(), key: "nothing" });
    await expect(stranger.call("status")).rejects.toThrow(Problem);
    await stranger.close();
  });

  it.each([
    "/v1/../v1/status",
    "//v1/status",
    "/v1//status",
    "/v1/%73tatus",
    "/v1/status;x=1",
    "/v1/./status",
    "/v1/status/..",
    "http://127.0.0.1/v1/status",
    "/v1/status#x",
  ])("refuses the target %s", async (target) => {
    const authorization = `Bearer ${gateway.adminKey(everything)}`;
    expect(await rawGet(target, { authorization })).toBe(400);
    expect(await rawGet("/v1/status", { authorization })).toBe(200);
  });

  it("answers only for names it knows", async () => {
    const authorization = `Bearer ${gateway.adminKey(everything)}`;
    expect(await rawGet("/v1/status", { authorization, host: "gate.example:1" })).toBe(200);
    expect(await rawGet("/v1/status", { authorization, host: "evil.example" })).toBe(421);
  });

  it("refuses two credentials, and one in a header that comes twice", async () => {
    const key = gateway.adminKey(everything);
    expect(await rawGet("/v1/status", { authorization: `Bearer ${key}`, "x-api-key": `${key}x` })).toBe(400);
    expect(await rawGet("/v1/status", { "x-api-key": [key, key] })).toBe(400);
  });

  it("refuses headers beyond its bound", async () => {
    expect(await rawGet("/v1/status", { "x-long": "x".repeat(20_000) })).toBe(431);
  });
});

describe("over the socket", () => {
  it("is the operating-system user, whose socket nobody else can open", async () => {
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    const client = new AdminClient({ socketPath });
    expect((await client.call("adminKeys.reset")).name).toBe("recovery");
    await client.close();
    expect(gateway.events.at(-1)?.actor).toMatch(/^os:/);
  });

  it("takes the place of a stale one, but not of a server that answers", async () => {
    await server.close();
    expect(existsSync(socketPath)).toBe(false);
    writeFileSync(socketPath, "");
    server = makeServer();
    await server.listen({ host: "127.0.0.1", port: 0 });
    const second = makeServer();
    await expect(second.listen({ host: "127.0.0.1", port: 0 })).rejects.toMatchObject({ code: "conflict" });
    const client = new AdminClient({ socketPath });
    expect((await client.call("status")).version).toBe("0");
    await client.close();
  });
});

it("opens neither door when the port is taken", async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
  const address = blocker.address();
  const port = typeof address === "object" && address ? address.port : 0;
  await server.close();
  server = makeServer();
  await expect(server.listen({ host: "127.0.0.1", port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  expect(existsSync(socketPath)).toBe(false);
  await new Promise((resolve) => blocker.close(resolve));
});
