/** Administration of a restored gateway: no admin key opens it, the operating-system user replays and confirms. */
import { AdminClient } from "@sallyport/client";
import { expect, it } from "vitest";
import { everything } from "../program-under-test.ts";
import { MemoryGateway, POLICY, START_MS } from "./memory-ports.ts";

function restored() {
  const gateway = new MemoryGateway();
  gateway.restored = { backupAt: START_MS - 5, restoredAt: START_MS, seq: 7, hash: "a".repeat(64) };
  const client = new AdminClient({
    handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }),
  });
  const overTcp = async (): Promise<number> => {
    const request = new Request("http://localhost/v1/status");
    request.headers.set("authorization", `Bearer ${gateway.adminKey(everything, null)}`);
    return (await gateway.app.handle(request, { kind: "tcp" })).status;
  };
  return { gateway, client, overTcp };
}

it("refuses every admin key until it is confirmed, once", async () => {
  const { gateway, client, overTcp } = restored();
  expect(await overTcp()).toBe(503);
  expect(await client.call("restore.show")).toMatchObject({ isUnconfirmed: true, seq: 7 });
  expect(await client.call("restore.confirm", { body: { replayed: 3, isWhole: true } })).toEqual({
    wasUnconfirmed: true,
  });
  expect(gateway.events.at(-1)).toMatchObject({
    type: "gateway.restore_confirmed",
    actor: "os:root",
    fields: { backup_at: START_MS - 5, backup_seq: 7, replayed: 3, is_whole: true },
  });
  const { length } = gateway.events;
  expect(await client.call("restore.confirm", { body: { replayed: 0, isWhole: true } })).toEqual({
    wasUnconfirmed: false,
  });
  expect(gateway.events).toHaveLength(length);
  expect(await overTcp()).toBe(200);
});

it("a replayed suspension is an administrator's to take back, also where disuse had come first", async () => {
  const { gateway, client } = restored();
  await client.call("policy.apply", { body: { text: POLICY } });
  const body = { environment: "prod", name: "k", roles: ["bot"], models: ["llama3.2"] };
  const { id } = await client.call("keys.create", { body });
  // As the sweep does it: the gateway knows the new state.
  const operation = { op: "key.state", environment: "prod", id, state: "suspended", reason: "key_unused" } as const;
  const { changes, keys } = gateway.ports;
  await changes.inTurn(() => changes.change({ operations: [operation], events: [gateway.events.at(-1)!] }));
  expect(keys.find("prod", id)).toMatchObject({ state: "suspended", reason: "key_unused" });
  const records = [{ type: "key.suspended", environment: "prod", id }] as const;
  const replay = () => client.call("restore.replay", { body: { records: [...records] } });
  expect([(await replay()).suspended, (await replay()).suspended]).toEqual([1, 0]);
  expect(keys.find("prod", id)).toMatchObject({ state: "suspended", reason: "replayed" });
});

it("replays what ended since, each with its event, and never widens", async () => {
  const { gateway, client } = restored();
  await client.call("policy.apply", { body: { text: POLICY } });
  const issue = () =>
    client.call("keys.create", { body: { environment: "prod", name: "k", roles: ["bot"], models: ["llama3.2"] } });
  const [one, two] = [await issue(), await issue()];
  const admin = await client.call("adminKeys.create", { body: { name: "a", role: "admin", environments: ["prod"] } });
  await client.call("keys.revoke", { params: { id: two.id } });
  gateway.events.length = 0;
  const records = [
    { type: "key.suspended", environment: "prod", id: one.id },
    { type: "key.suspended", environment: "prod", id: two.id },
    { type: "key.revoked", environment: "dev", id: one.id },
    { type: "admin_key.revoked", environment: "system", id: admin.id },
    { type: "principal.disabled", environment: "system", id: one.owner },
    { type: "principal.disabled", environment: "system", id: "p_nobody" },
  ] as const;
  expect(await client.call("restore.replay", { body: { records: [...records] } })).toEqual({
    revoked: 1,
    suspended: 1,
    disabled: 1,
    unknown: 2,
  });
  expect(gateway.events.map(({ type, fields }) => [type, fields["replayed"]])).toEqual([
    ["key.suspended", true],
    ["admin_key.revoked", true],
    ["principal.disabled", true],
  ]);
  expect(gateway.stored.get(`prod/${one.id}`)?.state).toBe("suspended");
  expect(gateway.stored.get(`prod/${two.id}`)?.state).toBe("revoked");
});
