/** Every code of a finding: a gateway that has it, and the nearest one that has not. */
import { findingCodes } from "@sallyport/protocol";
import type { FindingCode } from "@sallyport/protocol";
import { describe, expect, it } from "vitest";
import { keyOf, principalOf } from "../builders.ts";
import type { KeyRecord } from "../program-under-test.ts";
import { AdminClient } from "@sallyport/client";
import { DAY_MS, MemoryGateway, START_MS } from "./memory-ports.ts";

interface World {
  /** Environments, roles and assignments, as YAML. */
  readonly environments?: string;
  readonly roles?: string;
  readonly assign?: string;
  readonly keys?: readonly Partial<KeyRecord>[];
  readonly more?: (gateway: MemoryGateway) => void;
}

const ID = "000000000001";
const admin = { permissions: ["keys:read" as const], environments: "*" as const, mayGrant: null };
const used =
  (daysAgo: number, generation = 1) =>
  (gateway: MemoryGateway) =>
    gateway.ports.uses.note(
      { environment: "dev", id: ID } as KeyRecord,
      { generation } as never,
      START_MS - daysAgo * DAY_MS,
    );
const usedFrom = (environment: string, id: string, address: string) => (gateway: MemoryGateway) =>
  gateway.ports.uses.notePlaced({ environment, id } as KeyRecord, { generation: 1 } as never, START_MS, address, "x");
const expiring = (inDays: number, lifetimeDays = 90) => ({
  secrets: [{ ...keyOf().secrets[0]!, expiresAt: START_MS + inDays * DAY_MS }],
  lifetimeMs: lifetimeDays * DAY_MS,
});
const twoSecrets = [
  { ...keyOf().secrets[0]!, state: "overlapping" as const },
  { ...keyOf().secrets[0]!, generation: 2, createdAt: START_MS - 2 * DAY_MS },
];
const young = { createdAt: START_MS - DAY_MS, idleSince: START_MS - DAY_MS };
const ownedBy =
  (groups: readonly string[], part = {}) =>
  (gateway: MemoryGateway) => {
    const person = principalOf("p", { groups, ...part });
    gateway.state = { ...gateway.state, principals: [person] };
  };
const LIMITED = "limits: { requests: 60/min }, ";
const env = (name: string, more = "", port = name.length): string =>
  `{ ${name}: { ${LIMITED}${more}upstreams: [{ url: "http://10.0.0.${port}:1" }] } }`;
const two = (a: string, b: string, same: boolean): string =>
  `{ ${a}: { ${LIMITED}upstreams: [{ url: "http://10.0.0.1:1" }] }, ${b}: { ${LIMITED}upstreams: [{ url: "http://10.0.0.${same ? 1 : 2}:1" }] } }`;
const assign = (right: string, where = "dev"): string => `[{ group: g, ${right}, in: [${where}] }]`;
const external = (subject: string) => ({
  identities: [{ issuer: "https://i.example", subject }], scim: null, groups: [], heard: { events: [], times: [] }, changedAt: 0,
}); // prettier-ignore
const scim = { userName: "u", externalId: "x1", displayName: null, emails: [], isDeleted: false };

/** The first world has the finding; the second has not. */
const table: Readonly<Record<FindingCode, readonly [has: World, hasNot: World]>> = {
  wildcard_in_prod: [
    { environments: env("prod"), assign: assign('role: chatbot, on: ["*"]', "prod") },
    { environments: env("prod"), assign: assign("role: chatbot, on: [llama3.2]", "prod") },
  ],
  chat_key_manages_models: [
    { assign: assign('allow: [infer:chat, models:delete], on: ["*"]'), keys: [{ ceiling: { roles: [], allow: ["infer:chat", "models:delete"], models: ["*"] } }], more: ownedBy(["g"]) },
    // The key's scope names it, and its owner does not hold it.
    { assign: assign('allow: [infer:chat], on: ["*"]'), keys: [{ ceiling: { roles: [], allow: ["infer:chat", "models:delete"], models: ["*"] } }], more: ownedBy(["g"]) },
  ],
  reader_infers: [
    { roles: "{ log-viewer: { allow: [{ do: [infer:chat], on: [a] }] } }", assign: assign("role: log-viewer") },
    { roles: "{ log-viewer: { allow: [{ do: [models:list] }] } }", assign: assign("role: log-viewer") },
  ],
  role_wider_than_use: [
    { keys: [{ ceiling: { roles: ["embedder"], allow: [], models: ["a"] } }], more: (gateway) => void (gateway.usesFromMs = START_MS - 31 * DAY_MS) },
    { keys: [{ ceiling: { roles: ["embedder"], allow: [], models: ["a"] } }], more: (gateway) => {
      gateway.usesFromMs = START_MS - 31 * DAY_MS;
      gateway.permissionUses = [{ environment: "dev", key: ID, permission: "infer:embed", count: 1 }];
    } },
  ],
  role_use_unknown: [
    { keys: [{ ceiling: { roles: ["embedder"], allow: [], models: ["a"] } }] },
    { keys: [{ ceiling: { roles: ["embedder"], allow: [], models: ["a"] } }], more: (gateway) => void (gateway.usesFromMs = START_MS - 31 * DAY_MS) },
  ],
  environments_share_server: [{ environments: two("dev", "prod", true) }, { environments: two("dev", "prod", false) }],
  key_used_from_two_environments: [
    { environments: two("dev", "prod", false), keys: [{ id: ID }, { id: "000000000002", environment: "prod" }], more: (gateway) => {
      usedFrom("dev", ID, "10.1.1.1")(gateway);
      usedFrom("prod", "000000000002", "10.1.1.1")(gateway);
    } },
    { environments: two("dev", "prod", false), keys: [{ id: ID }, { id: "000000000002", environment: "prod" }], more: (gateway) => {
      usedFrom("dev", ID, "10.1.1.1")(gateway);
      usedFrom("prod", "000000000002", "10.1.1.2")(gateway);
    } },
  ],
  web_tools_granted: [
    { environments: env("dev", "cloud: allow, "), assign: assign("allow: [cloud:websearch]") },
    { environments: env("dev", "cloud: deny, "), assign: assign("allow: [cloud:websearch]") },
  ],
  create_with_adapters_granted: [
    { assign: assign("allow: [models:create, blobs:write], on: [a]") },
    { assign: assign("allow: [models:create, blobs:probe], on: [a]") },
  ],
  pull_from_foreign_registry: [
    { environments: env("dev", "registries: [registry.ollama.ai, hf.co], "), assign: assign("allow: [models:pull], on: [a]") },
    { assign: assign("allow: [models:pull], on: [a]") },
  ],
  cloud_by_alias: [
    { environments: env("dev", "cloud: allow, "), assign: assign('allow: [cloud:infer, models:copy], on: ["cloud:*", a]') },
    { environments: env("dev", "cloud: allow, "), assign: assign('allow: [cloud:infer], on: ["cloud:*"]') },
  ],
  key_without_owner: [{ keys: [young] }, { keys: [young], more: ownedBy([]) }],
  key_near_expiry: [{ keys: [{ ...young, ...expiring(6) }] }, { keys: [{ ...young, ...expiring(8) }] }],
  key_on_old_secret: [{ keys: [{ secrets: twoSecrets }], more: used(1) }, { keys: [{ secrets: twoSecrets }], more: used(3) }],
  key_never_used: [
    { keys: [{ idleSince: START_MS - 7 * DAY_MS }] },
    { keys: [{ idleSince: START_MS - 7 * DAY_MS, isDecoy: true }] },
  ],
  key_unused: [{ keys: [{}], more: used(30) }, { keys: [{}], more: used(29) }],
  admin_key_unused: [
    { keys: [{ environment: "system", owner: null, admin, ...expiring(50) }] },
    { keys: [{ environment: "system", owner: null, admin, ...expiring(50), idleSince: START_MS - DAY_MS }] },
  ],
  policy_unsatisfiable: [
    { environments: env("dev", "networks: [10.0.0.0/8], "), roles: "{ bot: { allow: [{ do: [models:list] }], networks: [192.168.0.0/16] } }", assign: assign("role: bot"), more: ownedBy(["g"]) },
    { environments: env("dev", "networks: [10.0.0.0/8], "), roles: "{ bot: { allow: [{ do: [models:list] }], networks: [10.1.0.0/16] } }", assign: assign("role: bot"), more: ownedBy(["g"]) },
  ],
  no_limits_in_prod: [
    { environments: env("prod").replace(LIMITED, "") },
    { environments: env("prod") },
  ],
  record_damaged: [{ more: (gateway) => void (gateway.damaged = [{ environment: "dev", says: "x" }]) }, {}],
  sink_behind: [
    { more: (gateway) => void (gateway.sinks = [{ name: "s", type: "file", lagRecords: 9, lagSeconds: 301, sent: 0, deadLettered: 0, failures: 0, trouble: null }]) },
    { more: (gateway) => void (gateway.sinks = [{ name: "s", type: "file", lagRecords: 9, lagSeconds: 299, sent: 0, deadLettered: 0, failures: 0, trouble: null }]) },
  ],
  incident_open: [
    { more: (gateway) => void gateway.incidents.set("inc_1", incident(null)) },
    { more: (gateway) => void gateway.incidents.set("inc_1", incident({ at: 1, by: "x", outcome: "revoked", note: null, reissued: null } as never)) },
  ],
  incident_damaged: [{ more: (gateway) => void (gateway.damagedIncidents = ["inc_1"]) }, {}],
  local_login_suspended: [
    { more: ownedBy([], { bounds: { localLogin: { by: "x", environments: "*", mayGrant: "*", suspendedAt: 1 } } }) },
    { more: ownedBy([], { bounds: { localLogin: { by: "x", environments: "*", mayGrant: "*", suspendedAt: null } } }) },
  ],
  identifier_not_counted: [
    { assign: assign("role: chatbot, on: [a]"), more: ownedBy(["g"], { external: { ...external("s"), scim } }) },
    { assign: assign("role: chatbot, on: [a]"), more: ownedBy(["g"], { external: { ...external("s"), scim }, bounds: { identifier: { by: "x", environments: "*", mayGrant: "*" } } }) },
  ],
  identity_ambiguous: [
    { more: (gateway) => void (gateway.state = { ...gateway.state, principals: ["a", "b"].map((id) => principalOf(id, { external: external("s") })) }) },
    { more: (gateway) => void (gateway.state = { ...gateway.state, principals: ["a", "b"].map((id) => principalOf(id, { external: external(id) })) }) },
  ],
}; // prettier-ignore

function incident(closed: null) {
  return { id: "inc_1", environment: "dev", key: ID, keyName: "k", owner: null, since: 0, reason: null, openedAt: 0, openedBy: "x", closed } as const; // prettier-ignore
}

async function codesOf({ environments = env("dev"), roles = "{}", assign: rows = "[]", keys = [], more }: World) {
  const gateway = new MemoryGateway();
  const client = new AdminClient({
    handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }),
  });
  const text = `environments: ${environments}\nroles: ${roles}\nassign: ${rows}\n`;
  await client.call("policy.apply", { body: { text } });
  for (const part of keys) {
    const key = keyOf({ id: ID, ...part });
    gateway.stored.set(`${key.environment}/${key.id}`, key);
  }
  more?.(gateway);
  const { findings } = await client.call("findings");
  expect(gateway.faults).toEqual([]);
  return findings;
}

describe.each(Object.keys(findingCodes) as FindingCode[])("%s", (code) => {
  const [has, hasNot] = table[code];

  it("is found, with a subject, evidence or a sentence, and what to do", async () => {
    const found = (await codesOf(has)).filter((one) => one.code === code);
    expect(found.length).toBeGreaterThan(0);
    for (const { subject, says, remedy, status, state } of found) {
      expect(subject).toMatch(/^[a-z]+:./);
      expect(says).not.toBe("");
      expect(state === "ok" || remedy !== "").toBe(true);
      expect(status).toBe("open");
    }
  });

  it("is not found where it is not", async () => {
    expect((await codesOf(hasNot)).map((one) => one.code)).not.toContain(code);
  });
});
