/** Who may open and close an incident, what a close gives, and what happens when the disk gives out in between. */
import { beforeEach, describe, expect, it } from "vitest";
import { AdminClient } from "@sallyport/client";
import { everything } from "../program-under-test.ts";
import type { AdminRight, KeyRecord } from "../program-under-test.ts";
import { clientOf } from "./caller.ts";
import { MemoryGateway, POLICY } from "./memory-ports.ts";

let gateway: MemoryGateway;
let id: string;
let root: AdminClient;

const key = (): KeyRecord => gateway.stored.get(`prod/${id}`)!;

beforeEach(async () => {
  gateway = new MemoryGateway();
  root = new AdminClient({ handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }) });
  await root.call("policy.apply", { body: { text: POLICY } });
  const networks = ["10.0.0.0/8"];
  const wish = { environment: "prod", name: "k", roles: ["bot"], models: ["llama3.2"], networks, require: [] };
  ({ id } = await root.call("keys.create", { body: { ...wish, limits: { requests: "5/min" }, ttl: "10d" } }));
  gateway.events.length = 0;
});

describe("opening", () => {
  it("suspends and records in one change; again, it is the same incident", async () => {
    const opened = await root.call("incidents.open", { body: { keyId: id, reason: "seen on a screen" } });
    expect(key()).toMatchObject({ state: "suspended", reason: "incident" });
    expect(gateway.events.map(({ type }) => type)).toEqual(["incident.opened", "key.suspended"]);
    expect(await root.call("incidents.open", { body: { keyId: id } })).toEqual({ ...opened, wasOpen: true });
    expect(gateway.events).toHaveLength(2);
  });

  it("takes a key that is suspended for something else, or revoked, and says so on it", async () => {
    await root.call("keys.suspend", { params: { id } });
    await root.call("incidents.open", { body: { keyId: id } });
    expect(key().reason).toBe("incident");
    await root.call("keys.revoke", { params: { id } });
    gateway.incidents.clear();
    await root.call("incidents.open", { body: { keyId: id } });
    expect(key().state).toBe("revoked");
  });

  it("stops the key although the incident cannot be written; the next one opens it", async () => {
    gateway.isShelfFull = true;
    await expect(root.call("incidents.open", { body: { keyId: id } })).rejects.toMatchObject({
      code: "store_unavailable",
    });
    expect(key().state).toBe("suspended");
    gateway.isShelfFull = false;
    expect(await root.call("incidents.open", { body: { keyId: id } })).toMatchObject({ wasOpen: false, state: "open" });
    expect(gateway.incidents.size).toBe(1);
  });

  it("no administrator lets the key work again by the way", async () => {
    await root.call("incidents.open", { body: { keyId: id } });
    await expect(root.call("keys.resume", { params: { id } })).rejects.toMatchObject({ code: "conflict" });
    expect(key().state).toBe("suspended");
  });
});

describe("closing", () => {
  let incident: string;
  beforeEach(async () => {
    ({ id: incident } = await root.call("incidents.open", { body: { keyId: id } }));
    gateway.events.length = 0;
  });

  it("gives a key of the same right, and none of the strangers' signers", async () => {
    const signer = { id: "hmac-x", use: "request", algorithm: "hmac-sha256", material: "1", createdAt: 0, createdBy: "x" } as const; // prettier-ignore
    gateway.stored.set(`prod/${id}`, { ...key(), signers: [signer] });
    gateway.ports.keys.apply([{ of: "key", environment: "prod", id: id, now: undefined }]);
    const { issued } = await root.call("incidents.close", { params: { id: incident }, body: { outcome: "reissue" } });
    const next = gateway.stored.get(`prod/${issued!.id}`)!;
    for (const part of ["name", "owner", "ceiling", "limits", "networks", "require", "lifetimeMs"] as const)
      expect(next[part]).toEqual(key()[part]);
    expect(next.signers).toEqual([]);
    expect([key().state, next.state]).toEqual(["revoked", "active"]);
    expect(gateway.events.map(({ type }) => type)).toEqual(["incident.closed", "key.revoked", "key.issued"]);
  });

  it("gives nothing that is not the closer's to give", async () => {
    const close = (right: AdminRight) =>
      clientOf(gateway, right).call("incidents.close", { params: { id: incident }, body: { outcome: "reissue" } });
    const permissions = everything.permissions.filter((one) => one !== "keys:issue");
    await expect(close({ ...everything, permissions })).rejects.toMatchObject({ code: "permission_denied" });
    const mayGrant = { allow: ["infer:embed"], models: ["*"] } as AdminRight["mayGrant"];
    await expect(close({ ...everything, mayGrant })).rejects.toMatchObject({ code: "grant_exceeds_issuer" });
    expect(key().state).toBe("suspended");
    expect(gateway.incidents.get(incident)!.closed).toBeNull();
  });

  it("makes no second key when the first close was not written down in its file", async () => {
    const open = gateway.incidents.get(incident)!;
    await root.call("incidents.close", { params: { id: incident }, body: { outcome: "reissue" } });
    gateway.incidents.set(incident, open);
    const [closed] = gateway.events;
    gateway.records.push({ ...closed!, seq: 1 });
    const keys = gateway.stored.size;
    await expect(
      root.call("incidents.close", { params: { id: incident }, body: { outcome: "reissue" } }),
    ).rejects.toMatchObject({ code: "conflict" });
    expect(gateway.stored.size).toBe(keys);
    expect(gateway.incidents.get(incident)!.closed).toMatchObject({ outcome: "reissued" });
  });

  it("a false alarm lets it work again, unless it was revoked meanwhile", async () => {
    await root.call("incidents.close", { params: { id: incident }, body: { outcome: "false_alarm" } });
    expect(key()).toMatchObject({ state: "active", reason: null });
    const again = await root.call("incidents.open", { body: { keyId: id } });
    await root.call("keys.revoke", { params: { id } });
    const body = { outcome: "false_alarm" } as const;
    await expect(root.call("incidents.close", { params: { id: again.id }, body })).rejects.toMatchObject({
      code: "conflict",
    });
  });

  it("a ticket goes with another key alone", async () => {
    const body = { outcome: "revoke", deliver: {} } as const;
    await expect(root.call("incidents.close", { params: { id: incident }, body })).rejects.toMatchObject({
      code: "input_invalid",
    });
  });
});
