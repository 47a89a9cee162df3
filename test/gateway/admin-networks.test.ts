/** From where administrators work is recorded, so that a key made by somebody else, somewhere else, after a revocation is noticed. */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

const clock = {
  offsetMs: 0,
  now: () => Date.UTC(2026, 0, 5, 8) + clock.offsetMs,
  monotonic: () => performance.now() + clock.offsetMs,
};
let gateway: StartedGateway;
let other: { id: string; key: string };

async function call<T = Record<string, unknown>>(
  from: string,
  method: string,
  path: string,
  body?: object,
  key = gateway.adminKey,
): Promise<T> {
  const answer = await fetch(gateway.gateway.adminUrl + path, {
    method,
    headers: { authorization: `Bearer ${key}`, "x-forwarded-for": from, "content-type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
  return JSON.parse(text) as T;
}
interface Recorded {
  readonly environment: string;
  readonly actor: string;
  readonly fields: Record<string, unknown>;
}
const records = async (type: string) =>
  (await call<{ records: Recorded[] }>("10.0.0.7", "GET", `/v1/audit?type=${type}`)).records;
const wish = (owner: string) => ({ environment: "dev", name: "app", owner, allow: ["models:list"] });

beforeAll(async () => {
  gateway = await startGateway({ clock, settings: { trustedProxies: ["127.0.0.1/32"] } });
  const order = { name: "onboarding", role: "issuer", environments: ["dev"], mayGrant: "*" };
  other = await call("10.0.0.7", "POST", "/v1/admin-keys", order);
  await call("10.0.0.7", "POST", "/v1/principals", { kind: "service", name: "shop" });
  await call("10.0.0.7", "POST", "/v1/principals", { kind: "service", name: "bot" });
});
afterAll(() => gateway.stop());

it("is in the records of what was done, by whichever route", async () => {
  const made = await call<{ id: string }>("10.0.0.7", "POST", "/v1/keys", wish("shop"));
  await call("10.0.0.7", "POST", `/v1/keys/${made.id}/rotate`, {});
  await call("10.0.0.7", "POST", `/v1/keys/${made.id}/suspend`);
  await call("10.0.0.8", "POST", `/v1/keys/${made.id}/resume`);
  for (const [type, address] of [
    ["admin_key.issued", "10.0.0.7"],
    ["key.issued", "10.0.0.7"],
    ["key.rotation_begun", "10.0.0.7"],
    ["key.suspended", "10.0.0.7"],
    ["key.resumed", "10.0.0.8"],
  ] as const)
    expect((await records(type))[0]!.fields["address"]).toBe(address);
  expect((await records("policy.applied"))[0]!.fields["address"]).toBe("127.0.0.1");
  const refused = await fetch(`${gateway.gateway.adminUrl}/v1/keys`, { headers: { "x-forwarded-for": "203.0.113.5" } });
  expect(refused.status).toBe(401);
  expect((await records("admin.refused"))[0]!.fields["address"]).toBe("203.0.113.5");
});

it("is in what follows from it: an owner who is disabled, and his keys", async () => {
  const owner = await call<{ id: string }>("10.0.0.7", "POST", "/v1/principals", { kind: "service", name: "gone" });
  const made = await call<{ id: string }>("10.0.0.7", "POST", "/v1/keys", wish("gone"));
  await call("10.0.0.8", "POST", `/v1/principals/${owner.id}/disable`);
  expect((await records("principal.disabled"))[0]!.fields).toMatchObject({ principal: owner.id, address: "10.0.0.8" });
  expect((await records("key.revoked"))[0]!.fields).toMatchObject({ key: made.id, address: "10.0.0.8" });
});

it("a key that another makes from a new network after a revocation is told of, and nothing is done by itself", async () => {
  const made = await call<{ id: string }>("10.0.0.7", "POST", "/v1/keys", wish("shop"));
  await call("10.0.0.9", "POST", "/v1/keys", wish("bot"), other.key);
  clock.offsetMs += 7_200_000;
  await call("10.0.0.7", "POST", `/v1/keys/${made.id}/revoke`);
  clock.offsetMs += 60_000;
  const minted = await call<{ id: string }>("198.51.100.9", "POST", "/v1/keys", wish("shop"), other.key);
  const alert = await vi.waitFor(async () => {
    const found = (await records("anomaly.detected"))[0];
    expect(found).toBeDefined();
    return found!;
  });
  expect(alert).toMatchObject({ environment: "system", actor: "gateway" });
  expect(alert.fields).toMatchObject({ kind: "mint_after_revoke", key: other.id, is_fact: true, action: "notify" });
  const factors = (alert.fields["factors"] as string[]).join("\n");
  expect(factors).toContain(minted.id);
  expect(factors).toContain("198.51.100.0/24");
  await call("198.51.100.9", "POST", "/v1/keys", wish("bot"), other.key);
});

it("the same administrator at his own desk who makes another in its place is not", async () => {
  const made = await call<{ id: string }>("10.0.0.7", "POST", "/v1/keys", wish("bot"));
  await call("10.0.0.7", "POST", `/v1/keys/${made.id}/revoke`);
  await call("10.0.0.7", "POST", "/v1/keys", wish("bot"));
  await gateway.restart();
  expect((await records("anomaly.detected")).map(({ fields }) => fields["kind"])).toEqual(["mint_after_revoke"]);
});
