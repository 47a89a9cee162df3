/** Bait, end to end: a key that looks like any other, and whose first use is told, recorded and its last. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

let root: string;
let gateway: StartedGateway;
let receiver: Server;
let decoy: IssuedKey;
let plain: IssuedKey;
const told: { type: string; data: Record<string, unknown> }[] = [];
let onTold: () => void = () => {};

const list = (key: string, from: string) =>
  fetch(`${gateway.url}/api/tags`, { headers: { authorization: `Bearer ${key}`, "x-forwarded-for": from } });
const records = async (type: string) =>
  (
    await gateway.admin<{ records: { actor: string; fields: Record<string, unknown> }[] }>(
      "GET",
      `/v1/audit?type=${type}`,
    )
  ).records;
/** Resolves when the receiver has been told of that. */
async function hear(type: string): Promise<Record<string, unknown>> {
  for (;;) {
    const found = told.find((one) => one.type === type);
    if (found) return found.data;
    await new Promise<void>((resolve) => (onTold = resolve));
  }
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "sallyport-decoy-"));
  writeFileSync(join(root, "secret"), "a secret of the receiver and ours\n");
  receiver = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      told.push(JSON.parse(body) as (typeof told)[0]);
      response.writeHead(204).end();
      onTold();
    });
  });
  await once(receiver.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const secret = { kind: "file", path: join(root, "secret") } as const;
  gateway = await startGateway({ settings: { trustedProxies: ["127.0.0.1/32"], notices: { url, secret } } });
  const wish = { allow: ["models:list"], models: ["llama3.2"] };
  decoy = await gateway.issue({ ...wish, decoy: true });
  plain = await gateway.issue(wish);
});
afterAll(async () => {
  await gateway.stop();
  receiver.closeAllConnections();
  receiver.close();
  rmSync(root, { recursive: true, force: true });
});

it("is shown to administrators alone, and looks like any other key", async () => {
  const shown = await gateway.admin<{ isDecoy: boolean }>("GET", `/v1/keys/${decoy.id}`);
  expect(shown.isDecoy).toBe(true);
  expect((await gateway.admin<{ isDecoy: boolean }>("GET", `/v1/keys/${plain.id}`)).isDecoy).toBe(false);
  expect(Object.keys(decoy)).toEqual(Object.keys(plain));
  expect(decoy.key.replace(/[A-Za-z0-9]{12,}/g, "")).toBe(plain.key.replace(/[A-Za-z0-9]{12,}/g, ""));
  const issued = await records("key.issued");
  expect(issued.find(({ fields }) => fields["key"] === decoy.id)!.fields["decoy"]).toBe(true);
  expect(issued.find(({ fields }) => fields["key"] === plain.id)!.fields).not.toHaveProperty("decoy");
});

it("its first use is answered as another key's, recorded, told, and the last", async () => {
  const [first, other] = [await list(decoy.key, "198.51.100.23"), await list(plain.key, "10.0.0.7")];
  expect([first.status, await first.text()]).toEqual([other.status, await other.text()]);
  expect(await hear("anomaly.detected")).toMatchObject({ key: decoy.id, kind: "decoy_used", action: "suspend" });
  expect(await hear("key.suspended")).toMatchObject({ key: decoy.id, reason: "anomaly" });

  const second = await list(decoy.key, "198.51.100.23");
  expect([second.status, codeOf(await second.text())]).toEqual([401, "key_suspended"]);
  expect((await list(plain.key, "10.0.0.7")).status).toBe(200);
  const [alert, ...more] = await records("anomaly.detected");
  expect(more).toEqual([]);
  expect(alert!.fields).toMatchObject({ key: decoy.id, kind: "decoy_used", is_fact: true });
  expect((alert!.fields["factors"] as string[]).join()).toContain("198.51.100.23");
});

it("tells of a use that was refused, too: bait is tried for what it may not", async () => {
  const tried = await gateway.issue({ allow: ["models:list"], decoy: true });
  const refused = await gateway.post("/api/chat", tried.key, { model: "llama3.2", messages: [] });
  expect(refused.status).toBe(403);
  await gateway.restart();
  const alerts = (await records("anomaly.detected")).filter(({ fields }) => fields["key"] === tried.id);
  expect(alerts[0]!.fields).toMatchObject({ kind: "decoy_used", action: "suspend" });
  // It is bait still after a restart.
  expect((await gateway.admin<{ isDecoy: boolean }>("GET", `/v1/keys/${tried.id}`)).isDecoy).toBe(true);
});

it("tells of a token made of it before the token is used", async () => {
  const tried = await gateway.issue({ allow: ["models:list"], decoy: true });
  await gateway.restart();
  const answer = await fetch(`${gateway.url}/oauth/token`, {
    method: "POST",
    headers: { authorization: `Bearer ${tried.key}` },
    body: new URLSearchParams({ grant_type: "client_credentials" }),
  });
  expect(answer.status).toBe(200);
  await gateway.restart();
  const alerts = (await records("anomaly.detected")).filter(({ fields }) => fields["key"] === tried.id);
  expect(alerts[0]!.fields).toMatchObject({ kind: "decoy_used", action: "suspend" });
});
