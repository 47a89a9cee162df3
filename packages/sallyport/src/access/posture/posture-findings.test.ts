import { expect, it } from "vitest";
import { keyOf, principalOf, roleOf } from "../../../../../test/builders.ts";
import type { KeyRecord } from "../../keys/key.ts";
import { environmentDefaults } from "../default-environment.ts";
import type { PermissionUse } from "../permission-uses.ts";
import type { Assignment, Environment, PolicyState, RightSpec, Role } from "../policy.ts";
import { compileSnapshot } from "../snapshot.ts";
import { policyFindings } from "./posture-findings.ts";
import type { PostureFinding } from "./posture-finding.ts";

const DAY_MS = 86_400_000;
const NOW = 100 * DAY_MS;

const environment = (name: string, ...urls: string[]): Environment =>
  ({
    ...environmentDefaults,
    name,
    cloud: "deny",
    upstreams: urls.map((url, i) => ({ id: `u${i}`, url, concurrency: 1 })),
  }) as unknown as Environment;
const right = (more: Partial<RightSpec>): RightSpec => ({ roles: [], allow: [], models: null, ...more });
const assignment = (of: string, more: Partial<RightSpec>, subject: Assignment["subject"] = { group: "g" }): Assignment => ({
  id: Math.random().toString(36), subject, environment: of, right: right(more), source: "policy",
}); // prettier-ignore
const bot = roleOf("bot", [{ permissions: ["infer:embed", "models:delete", "server:health"], models: ["llama3.2"] }]);
const anna = principalOf("p1", { name: "anna", groups: ["g"] });
/** Used a minute ago. */
const heldKey = (id: string, more: Partial<KeyRecord> = {}): KeyRecord => keyOf({ id, owner: "p1", ...more });

interface Facts {
  readonly state?: Partial<PolicyState>;
  readonly keys?: readonly KeyRecord[];
  readonly uses?: readonly PermissionUse[];
  readonly days?: number;
  readonly shown?: readonly string[];
}

function find({ state, keys = [], uses = [], days = 30, shown }: Facts): Promise<PostureFinding[]> {
  const snapshot = compileSnapshot({
    epoch: 1, environments: [environment("dev", "http://10.0.0.1:1")], roles: [], principals: [anna], assignments: [], ...state,
  }); // prettier-ignore
  return policyFindings({
    now: NOW,
    snapshot,
    keys,
    usesOf: () => ({ lastUses: new Map([[1, NOW - 60_000]]), addresses: [] }),
    survey: { from: NOW - days * DAY_MS, to: NOW, uses },
    isShown: (name) => shown?.includes(name) ?? true,
  });
}
const codes = (found: readonly PostureFinding[]): string[] =>
  found.map((one) => `${one.environment} ${one.state} ${one.code}`);

const wildcards = (found: readonly PostureFinding[]): string[] =>
  codes(found.filter(({ code }) => code === "wildcard_in_prod"));

it("environments that share a model server, under whatever name", async () => {
  const shared = async (...names: string[]): Promise<string[]> =>
    codes(
      await find({
        state: { environments: names.map((name, i) => environment(name, ["http://localhost:11434", "http://127.0.0.1:11434", "http://[::1]:11434"][i]!)) },
      }),
    ); // prettier-ignore
  expect(await shared("dev", "staging")).toEqual([
    "dev note environments_share_server",
    "staging note environments_share_server",
  ]);
  expect(await shared("dev", "prod")).toEqual([
    "dev wrong environments_share_server",
    "prod wrong environments_share_server",
  ]);
  expect(await shared("prod", "production")).toEqual([
    "prod note environments_share_server",
    "production note environments_share_server",
  ]);
  const apart = [environment("dev", "http://127.0.0.1:11434"), environment("prod", "http://127.0.0.1:11435")];
  expect(await find({ state: { environments: apart } })).toEqual([]);
  expect(await find({ state: { environments: [environment("dev", "http://a", "http://a:80")] } })).toEqual([]);
});

it("whoever administers one environment is not told the names of others", async () => {
  const environments = [environment("dev", "http://a"), environment("secret", "http://a")];
  const found = await find({ state: { environments }, shown: ["dev"] });
  expect(codes(found)).toEqual(["dev note environments_share_server"]);
  expect(JSON.stringify(found)).not.toContain("secret");
});

it.each<[string, Partial<RightSpec>, boolean]>([
  ["a wildcard in the assignment", { roles: ["chatbot"], models: ["*"] }, true],
  ["every cloud model", { allow: ["infer:chat"], models: ["cloud:*"] }, true],
  ["a namespace", { allow: ["infer:chat"], models: ["llama3.2", "library/*"] }, true],
  ["any tag of one model", { allow: ["infer:chat"], models: ["llama3.2:*"] }, false],
  ["a wildcard the role narrows", { roles: ["bot"], models: ["*"] }, false],
  ["a wildcard for what needs no model", { allow: ["models:list"], models: ["*"] }, false],
  ["named models", { roles: ["chatbot"], models: ["llama3.2"] }, false],
])("in production, %s", async (_what, more, isFound) => {
  const state = {
    environments: [environment("prod", "http://p")],
    roles: [bot],
    assignments: [assignment("prod", more)],
  };
  expect(wildcards(await find({ state }))).toEqual(isFound ? ["prod wrong wildcard_in_prod"] : []);
  const dev = { environments: [environment("dev")], roles: [bot], assignments: [assignment("dev", more)] };
  expect(wildcards(await find({ state: dev }))).toEqual([]);
});

it("a wildcard of a role of one's own in production names the role", async () => {
  const wide: Role = { ...bot, name: "wide", grants: [{ permissions: ["infer:chat"], models: ["*"] }] };
  const state = { environments: [environment("prod", "http://p")], roles: [wide], assignments: [assignment("prod", { roles: ["wide"] })] };
  expect((await find({ state }))[0]?.says).toContain("role wide");
}); // prettier-ignore

const chat = (key: string): PermissionUse => ({ environment: "dev", key, permission: "infer:embed", count: 5 });

it("a role that grants more than whoever holds it has used in 30 days", async () => {
  const state = { roles: [bot], assignments: [assignment("dev", { roles: ["bot"] })] };
  const [found, ...more] = await find({ state, keys: [heldKey("k1")], uses: [chat("k1")] });
  expect(more).toEqual([]);
  expect(found).toMatchObject({ code: "role_wider_than_use", state: "note", environment: "dev" });
  expect(found?.says).toContain("bot grants models:delete in dev");
  expect(found?.remedy).toContain("infer:embed alone");
  // One holder's use, also of a key that is revoked by now, is use enough.
  const used = { environment: "dev", key: "k2", permission: "models:delete", count: 1 };
  const keys = [heldKey("k1"), heldKey("k2", { owner: null, state: "revoked", ceiling: right({ roles: ["bot"] }) })];
  expect(await find({ state, keys, uses: [chat("k1"), used] })).toEqual([]);
  // What a key of another environment used, or a key without the role, is not.
  const other = { environment: "prod", key: "k1", permission: "models:delete", count: 1 };
  expect(codes(await find({ state, keys: [heldKey("k1")], uses: [chat("k1"), other] }))).toEqual([
    "dev note role_wider_than_use",
  ]);
});

it("says nothing of a role before 30 days are known, and how many are; nor of one nobody holds or has held so long", async () => {
  const state = { roles: [bot], assignments: [assignment("dev", { roles: ["bot"] })] };
  const early = await find({ state, keys: [heldKey("k1")], days: 29 });
  expect(codes(early)).toEqual(["dev ok role_use_unknown"]);
  expect(early[0]?.says).toContain("now it is 29");
  expect(await find({ state })).toEqual([]);
  expect(await find({ state, keys: [heldKey("k1", { createdAt: NOW - 29 * DAY_MS })] })).toEqual([]);
  expect(codes(await find({ state, keys: [heldKey("k1", { createdAt: NOW - 30 * DAY_MS })] }))).toEqual(["dev note role_wider_than_use"]);
}); // prettier-ignore
