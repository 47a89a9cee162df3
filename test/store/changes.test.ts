import { expect, it } from "vitest";
import { principalOf, roleOf } from "../builders.ts";
import { environmentDefaults, openLedgerReader } from "../program-under-test.ts";
import type { Environment, Role } from "../program-under-test.ts";
import { change, event, fill, key, line, makeDirectory, open, settled } from "./store-fixture.ts";

const dev: Environment = {
  ...environmentDefaults,
  name: "dev",
  upstreams: [{ id: "u1", url: "http://127.0.0.1:11434", concurrency: 2 }],
  keyMaxAgeMs: 1_000,
  cloud: "deny",
  registries: ["registry.ollama.ai"],
  keepAliveMaxSeconds: 300,
  limits: { concurrency: 4 },
  guard: { images: 2 },
  networks: ["10.0.0.0/8", "2001:db8::/32"],
  require: ["signature"],
  requireFor: [{ permissions: ["models:delete"], require: ["network"] }],
  pathSecrets: "allow",
  tokens: { ttlMs: 60_000, isOnly: true },
};
const grants: Role["grants"] = [
  { permissions: ["infer:chat"], models: ["qwen3:*"] },
  { permissions: ["models:list"], models: null },
];
const bot = roleOf("bot", grants, {
  guard: { outputTokens: 9 },
  networks: ["10.0.0.0/8"],
  require: ["network", "signature"],
});
const ada = principalOf("p1", { name: "Ada", groups: ["g"], createdAt: 5 });

async function records(directory: string) {
  const log = openLedgerReader(directory);
  const found = await log.search({ limit: 1_000, order: "oldest" });
  log.close();
  return found;
}

it("keeps every kind of value as it was given, and reads it back after a restart", async () => {
  const directory = makeDirectory();
  const { store } = await open({ directory });
  const grouped = {
    id: "a1",
    subject: { group: "g" },
    environment: "dev",
    right: { roles: ["bot"], allow: [], models: null },
    source: "policy",
  } as const;
  const single = {
    id: "a2",
    subject: { principal: "p1" },
    environment: "dev",
    right: { roles: [], allow: ["infer:embed"], models: ["*"] },
    source: "admin",
  } as const;
  const admin = key("admin", {
    environment: "system",
    owner: null,
    lifetimeMs: null,
    ceiling: { roles: [], allow: [], models: [] },
    admin: { permissions: ["keys:issue"], environments: "*", mayGrant: { allow: ["infer:chat"], models: ["*"] } },
  });
  const known = {
    ...ada,
    id: "p2",
    isDisabled: true,
    disabledBy: ["scim"],
    revocations: 3,
    external: {
      identities: [{ issuer: "https://idp.example.org", subject: "s1" }],
      scim: {
        userName: "ada",
        externalId: "x",
        displayName: null,
        emails: [{ value: "a@example.org", type: null, isPrimary: true }],
        isDeleted: true,
      },
      groups: ["g"],
      heard: { events: ["e"], times: [{ by: "i", active: 1, groups: 2 }] },
      changedAt: 7,
    },
  } as const;
  await store.change(
    change([
      { op: "environment.put", environment: dev },
      { op: "environment.remove", name: "staging" },
      { op: "environment.remove", name: "prod" },
      { op: "role.put", role: bot },
      { op: "principal.put", principal: ada },
      { op: "principal.put", principal: known },
      { op: "group.put", group: { id: "g1", name: "ml-team", externalId: "x", createdAt: 1, changedAt: 2 } },
      { op: "group.put", group: { id: "g2", name: "gone", externalId: null, createdAt: 1, changedAt: 2 } },
      { op: "group.remove", id: "g2" },
      { op: "assignment.put", assignment: grouped },
      { op: "assignment.put", assignment: single },
      { op: "key.insert", key: key("a") },
      { op: "key.insert", key: admin },
    ]),
  );
  await store.close();
  const again = (await open({ directory })).store;
  expect(again.reader.policy()).toEqual({
    epoch: 1,
    groups: [{ id: "g1", name: "ml-team", externalId: "x", createdAt: 1, changedAt: 2 }],
    environments: [dev],
    roles: [bot],
    principals: [ada, known],
    assignments: [grouped, single],
  });
  expect(again.reader.key("dev", key("a").id)).toEqual(key("a"));
  expect(again.reader.key("prod", key("a").id)).toBeUndefined();
  expect(again.reader.key("system", admin.id)).toEqual(admin);
});

it("applies a change whole or not at all, with its events", async () => {
  const { store, directory } = await open();
  await store.change(change([{ op: "key.insert", key: key("a") }], "first"));
  const refused = store.change({
    operations: [
      { op: "role.put", role: bot },
      { op: "key.insert", key: key("b") },
      { op: "key.insert", key: key("a") },
    ],
    events: [event("second"), event("third")],
  });
  await expect(refused).rejects.toMatchObject({ code: "conflict" });
  expect(store.reader.policy()).toMatchObject({ epoch: 1, roles: [] });
  expect(store.reader.key("dev", key("b").id)).toBeUndefined();
  expect((await records(directory)).map(({ fields }) => fields["n"])).toEqual(["first"]);
});

it("a refused change leaves the other changes and lines of its group alone", async () => {
  const { store, directory } = await open();
  const before = store.append(line("before"));
  const good = store.change(change([{ op: "key.insert", key: key("a") }], "good"));
  const bad = store.change(
    change(
      [{ op: "key.state", environment: "dev", id: "nobody", state: "revoked", reason: "by_administrator" }],
      "bad",
    ),
  );
  const other = store.change(change([{ op: "key.insert", key: key("b") }], "other"));
  const wrong = store.change(change([{ op: "key.insert", key: key("c", { state: "open" as never }) }], "wrong"));
  const after = store.append(line("after"));
  await expect(bad).rejects.toMatchObject({ code: "not_found" });
  await expect(wrong).rejects.toMatchObject({ code: "fault" });
  expect([await good, await other]).toMatchObject([{ epoch: 1 }, { epoch: 2 }]);
  expect([await settled(store, before), await settled(store, after)]).toEqual([true, true]);
  expect(store.isWritable()).toBe(true);
  expect((await records(directory)).map(({ fields }) => fields["n"])).toEqual(["good", "other", "before", "after"]);
  expect((await openLedgerReader(directory).verify()).ok).toBe(true);
});

it("`revoked` is final", async () => {
  const { store } = await open();
  await store.change(change([{ op: "key.insert", key: key("a") }]));
  const to = (state: "active" | "suspended" | "revoked") =>
    store.change(change([{ op: "key.state", environment: "dev", id: key("a").id, state, reason: "by_administrator" }]));
  await to("suspended");
  await to("active");
  await to("revoked");
  await expect(to("active")).rejects.toMatchObject({ code: "conflict" });
  await expect(to("suspended")).rejects.toMatchObject({ code: "conflict" });
  await to("revoked");
  expect(store.reader.key("dev", key("a").id)?.state).toBe("revoked");
});

it("what is not there cannot be changed or removed; an id of another environment is another key", async () => {
  const { store } = await open();
  await store.change(
    change([
      { op: "key.insert", key: key("a") },
      { op: "key.insert", key: key("a", { environment: "prod" }) },
    ]),
  );
  for (const operation of [
    { op: "key.state", environment: "stage", id: key("a").id, state: "revoked", reason: "by_administrator" },
    { op: "environment.remove", name: "nowhere" },
    { op: "role.remove", name: "bot" },
    { op: "assignment.remove", id: "a1" },
  ] as const) {
    await expect(store.change(change([operation]))).rejects.toMatchObject({ code: "not_found" });
  }
  await store.change(
    change([{ op: "key.state", environment: "dev", id: key("a").id, state: "revoked", reason: "by_administrator" }]),
  );
  expect(store.reader.key("prod", key("a").id)?.state).toBe("active");
});

it("a change that only records leaves the epoch as it is: no plan goes stale by it", async () => {
  const { store } = await open();
  expect(await store.change(change([], 1))).toMatchObject({ epoch: 0 });
  expect(await store.change(change([{ op: "role.put", role: bot }], 1, 0))).toMatchObject({ epoch: 1 });
  expect(await store.change(change([], 1))).toMatchObject({ epoch: 1 });
});

it("refuses a change that was thought out on another epoch", async () => {
  const { store } = await open();
  expect(await store.change(change([{ op: "role.put", role: bot }], 1, 0))).toMatchObject({ epoch: 1 });
  await expect(store.change(change([{ op: "role.remove", name: "bot" }], 2, 0))).rejects.toMatchObject({
    code: "conflict",
  });
  expect(store.reader.policy().epoch).toBe(1);
});

it("lists keys by environment and owner, in pages, and visits every id", async () => {
  const { store } = await open();
  const keys = ["a", "b", "c", "d"].map((id, i) =>
    key(id, { environment: i === 3 ? "prod" : "dev", owner: i === 1 ? "p2" : "p1" }),
  );
  await store.change(change(keys.map((one) => ({ op: "key.insert" as const, key: one }))));
  const names = (filter: Parameters<typeof store.reader.keys>[0]) =>
    store.reader.keys(filter).map(({ environment, id }) => `${environment}/${id[0]}`);
  expect(names({})).toEqual(["dev/a", "dev/b", "dev/c", "prod/d"]);
  expect(names({ environment: "dev", owner: "p1" })).toEqual(["dev/a", "dev/c"]);
  expect(names({ limit: 2 })).toEqual(["dev/a", "dev/b"]);
  expect(names({ limit: 2, after: `dev/${key("b").id}` })).toEqual(["dev/c", "prod/d"]);
  const seen: string[] = [];
  store.reader.eachKeyId((environment, id) => seen.push(`${environment}/${id[0]}`));
  expect(seen.toSorted()).toEqual(["dev/a", "dev/b", "dev/c", "prod/d"]);
});

it("commits lines in the order of their tickets, in groups, and tells everyone who waits", async () => {
  const { store, directory } = await open();
  const heard: string[] = [];
  const tickets = Array.from({ length: 300 }, (_, n) => store.append(line(n)) ?? -1);
  for (const ticket of tickets) store.whenDurable(ticket, (isOnDisk) => heard.push(`${ticket} ${isOnDisk}`));
  expect(store.isDurable(tickets[299] ?? -1)).toBe(false);
  expect(await settled(store, tickets[299])).toBe(true);
  expect(heard).toEqual(tickets.map((ticket) => `${ticket} true`));
  expect(tickets.every((ticket) => store.isDurable(ticket))).toBe(true);
  expect(store.isDurable(301)).toBe(false);
  expect(await settled(store, 301)).toBe(false);
  expect((await records(directory)).map(({ fields }) => fields["n"])).toEqual(tickets.map((_, n) => n));
});

it("gives no ticket when too much is waiting, and gives them again afterwards", async () => {
  const { store } = await open({ queueMax: { lines: 10, bytes: 1e6 } });
  const tickets = Array.from({ length: 12 }, (_, n) => store.append(line(n)));
  expect(tickets.filter((ticket) => ticket !== undefined)).toHaveLength(10);
  await settled(store, tickets[9]);
  expect(await settled(store, store.append(line("next")))).toBe(true);
  const small = (await open({ queueMax: { lines: 1e6, bytes: 300 } })).store;
  expect([1, 2, 3].map((n) => small.append(line(n)) !== undefined)).toEqual([true, true, false]);
});

it("commits what is queued when it closes, and takes nothing afterwards", async () => {
  const directory = makeDirectory();
  const { store } = await open({ directory });
  for (let n = 0; n < 50; n++) store.append(line(n));
  const last = store.change(change([{ op: "key.insert", key: key("a") }]));
  await store.close();
  expect(await last).toMatchObject({ epoch: 1 });
  expect(store.append(line(1))).toBeUndefined();
  await expect(store.change(change([]))).rejects.toMatchObject({ code: "store_unavailable" });
  expect(store.isWritable()).toBe(false);
  expect(await records(directory)).toHaveLength(51);
  const again = (await open({ directory })).store;
  await fill(again, 0, 10);
  expect(await openLedgerReader(directory).verify()).toMatchObject({ ok: true, records: 61 });
});
