/** The requests that a gateway makes to itself after its start: they leave no trace, and real requests come first. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openGateway } from "../program-under-test.ts";
import { startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

const REHEARSED = 600;

let gateway: StartedGateway;
let issued: IssuedKey;

/** Starts the gateway again, with requests rehearsed. */
async function reopen(): Promise<void> {
  await gateway.gateway.close(1_000);
  gateway.gateway = await openGateway(gateway.settings, { clock: gateway.clock, rehearses: true });
}

async function metrics(): Promise<string> {
  const headers = { authorization: `Bearer ${gateway.adminKey}` };
  return (await fetch(`${gateway.gateway.adminUrl}/metrics`, { headers })).text();
}

/** Samples of what requests leave behind, without process figures, which move by themselves. */
function ofRequests(text: string): string[] {
  return text
    .split("\n")
    .filter((line) =>
      /^sallyport_(?:requests|tokens|refus|held|running|waiting|upstream|unrecorded|first|keys)/.test(line),
    );
}

beforeEach(async () => {
  gateway = await startGateway();
  issued = await gateway.issue();
  await reopen();
});
afterEach(() => gateway.stop());

test("a rehearsal leaves no record, no metric, no use of a key, no connection and no file", async () => {
  const before = ofRequests(await metrics());
  expect(before.length).toBeGreaterThan(0);
  expect(await gateway.gateway.rehearsed).toBe(REHEARSED);
  expect(ofRequests(await metrics())).toEqual(before);
  const { records } = await gateway.admin<{ records: { type: string; environment: string }[] }>(
    "GET",
    "/v1/audit?limit=1000",
  );
  expect(
    records.filter(({ type, environment }) => /^request|^model/.test(type) || environment === "rehearsal"),
  ).toEqual([]);
  const { lastUsedAt } = await gateway.admin<{ lastUsedAt: string | null }>("GET", `/v1/keys/${issued.id}`);
  expect(lastUsedAt).toBeNull();
  expect([gateway.upstream().seen, gateway.upstream().looks]).toEqual([[], 0]);
  expect(existsSync(join(gateway.directory, "rehearsal"))).toBe(false);
  // The key of a rehearsal and its environment exist nowhere else.
  const { keys } = await gateway.admin<{ keys: { environment: string }[] }>("GET", "/v1/keys");
  expect(keys.map(({ environment }) => environment)).not.toContain("rehearsal");
});

test("a real request is served during a rehearsal and ends it", async () => {
  let release!: () => void;
  const released = new Promise<void>((resolve) => (release = resolve));
  gateway.upstream().intercept = async () => {
    await released;
    return false;
  };
  const answer = gateway.post("/api/chat", issued.key, {
    model: "llama3.2", stream: false, messages: [{ role: "user", content: "x" }],
  }); // prettier-ignore
  const rehearsed = await gateway.gateway.rehearsed;
  release();
  expect((await answer).status).toBe(200);
  expect(rehearsed).toBeLessThan(REHEARSED);
});

test("a gateway closes during a rehearsal", async () => {
  await gateway.gateway.close(0);
  expect(await gateway.gateway.rehearsed).toBeLessThan(REHEARSED);
});
