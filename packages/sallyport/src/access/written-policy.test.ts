/** What is written of a policy is the policy: each member of the language by itself, and all of them together. */
import { policyJsonSchema } from "@sallyport/contract";
import { alertKinds } from "@sallyport/protocol";
import { describe, expect, it } from "vitest";
import { LongWork } from "../kernel/long-work.ts";
import { OrderedMap } from "../kernel/ordered-map.ts";
import { readPolicy } from "./policy-file.ts";
import type { PolicyDocument } from "./policy-file.ts";
import { planPolicy } from "./policy-plan.ts";
import type { PresentPolicy } from "./policy-plan.ts";
import { Assignments } from "./assignments.ts";
import { Principals } from "./principals.ts";
import { readPolicyText } from "./policy-text.ts";
import { writePolicy } from "./written-policy.ts";
import { writePolicyText } from "./written-policy-text.ts";

const limits = {
  requests: "60/min",
  tokens: "200k/day",
  inputTokens: "1M/day",
  outputTokens: "100k/month",
  compute: "30m/day",
  images: "100/day",
  bytes: "1G/day",
  concurrency: 4,
  soft: ["tokens"],
  weight: 2,
  maxService: "1m",
  priority: "batch",
};
const guard = {
  outputTokens: 4_096,
  images: 0,
  contextTokens: 8_192,
  messages: 50,
  tools: 3,
  schemaBytes: 4_096,
  think: "low",
  topLogprobs: 2,
};
/** Every member, none of them as it is without being written. */
const environment = {
  upstreams: [
    {
      id: "gpu",
      url: "https://10.1.0.5:8443",
      kind: "openai",
      concurrency: 4,
      shared: true,
      timeout: "2m",
      timeouts: { connect: "1s", firstByte: "10m", silence: "90s", answer: "2h" },
    },
  ],
  queue: { wait: "1m", length: 10 },
  readerStall: "2m",
  keys: {
    maxAge: "30d",
    overlap: "1d",
    overlapMax: "2d",
    quiet: "0s",
    rotateWithin: "1d",
    notices: ["5d", "36h"],
    brownout: "2d",
    neverUsed: "0s",
    unusedNotice: "10d",
    idle: "20d",
    destroy: "40d",
    orphan: "1d",
    onLeave: "suspend",
    onRoleLost: "keep",
    onSignOut: "revoke",
    onRisk: "signature",
  },
  cloud: "allow",
  registries: [] as string[],
  keepAliveMax: "10m",
  limits,
  zone: "Europe/Berlin",
  total: limits,
  teams: { research: limits },
  models: { "qwen3:*": limits },
  guard,
  networks: ["10.0.0.0/8"],
  require: ["network"],
  requireFor: [{ do: ["models:pull"], need: ["signature"] }],
  tokens: { ttl: "5m", only: true },
  pathSecrets: "allow",
  inferenceRecording: "fail_open_with_gap_record",
  reviews: [{ every: "monthly", scope: "privileged", due: "7d", reviewers: ["carla"] }],
  anomalies: {
    budget: 2,
    actions: { default: "note", ...Object.fromEntries(alertKinds.map((kind) => [kind, "networks"])) },
    for: "2h",
  },
  leaks: { traffic: "stop" },
};
const role = {
  allow: [{ do: ["infer:chat"], on: ["llama3.2"] }, { do: ["usage:read"] }],
  limits,
  guard,
  networks: ["10.1.0.0/16"],
  require: ["network"],
};
const assign = [
  { group: "ml-team", role: ["bot", "chatbot"], allow: ["usage:read"], on: ["*"], in: ["dev", "prod"] },
  { group: "staff", role: "bot", in: ["dev"] },
];

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
};

/** `keys.maxAge`, `upstreams.url`, `teams.*.tokens`: what can be written. */
function members(schema: Schema, at: string[] = []): string[] {
  const more = schema.additionalProperties;
  if (schema.properties) return Object.entries(schema.properties).flatMap(([name, one]) => members(one, [...at, name]));
  if (schema.items?.properties) return members(schema.items, at);
  return typeof more === "object" && more.properties ? members(more, [...at, "*"]) : [at.join(".")];
}

function isWritten(value: unknown, [name, ...rest]: readonly string[]): boolean {
  if (name === undefined) return value !== undefined;
  if (Array.isArray(value)) return value.some((one) => isWritten(one, [name, ...rest]));
  const entry = value as Readonly<Record<string, unknown>>;
  if (name === "*") return Object.values(entry).some((one) => isWritten(one, rest));
  return Object.hasOwn(entry, name) && isWritten(entry[name], rest);
}

function read(document: unknown): PolicyDocument {
  const said = readPolicy(document);
  if (!said.ok) throw new Error(JSON.stringify(said.mistakes));
  return said.policy;
}

function present(policy: PolicyDocument): PresentPolicy {
  const assignments = policy.assignments.map((one, i) => ({ ...one, id: `a_${i}`, source: "policy" as const }));
  return {
    environments: new Map(policy.environments.map((one) => [one.name, one])),
    roles: OrderedMap.of(policy.roles.map((one) => [one.name, one])),
    principals: Principals.of([]),
    assignments: Assignments.of(assignments),
  } as unknown as PresentPolicy;
}

async function written(policy: PolicyDocument): Promise<object> {
  return JSON.parse(JSON.stringify(await writePolicy(present(policy), () => true, new LongWork()))) as object;
}

describe("writePolicy", () => {
  const whole = { environments: { dev: environment, prod: {} }, roles: { bot: role }, assign };

  it("is tested with each member that the language has", () => {
    const schema = policyJsonSchema() as { properties: Record<string, { additionalProperties: Schema }> };
    const missing = (name: string, value: object): string[] =>
      members(schema.properties[name]!.additionalProperties).filter((path) => !isWritten(value, path.split(".")));
    expect([missing("environments", environment), missing("roles", role)]).toEqual([[], []]);
  });

  it("writes all of it as it was written", async () => {
    const policy = read(whole);
    const again = await written(policy);
    expect(again).toEqual({
      ...whole,
      environments: { dev: environment, prod: { upstreams: [] } },
    });
    expect(read(again)).toEqual(policy);
    const plan = await planPolicy(present(policy), read(again), {
      hasUnrevokedKeys: () => Promise.resolve(false),
      newId: () => "a_new",
    });
    expect([plan.changes, plan.operations]).toEqual([[], []]);
  });

  it.each(Object.entries(environment))("writes %s by itself", async (name, value) => {
    const document = { environments: { dev: { upstreams: [], [name]: value } }, roles: {}, assign: [] };
    const policy = read(document);
    expect(read(await written(policy))).toEqual(policy);
    expect(await written(policy)).not.toEqual(await written(read({ environments: { dev: { upstreams: [] } } })));
  });

  it.each([
    ["all of it", whole],
    ["no environment", { environments: {} }],
    [
      "names that YAML reads as something else",
      {
        environments: {
          y: { reviews: [{ every: "monthly", reviewers: ["on", "1e3", "#x", "- a\n b", "'\"", "null"] }] },
        },
        assign: ["no", "0x10", "~", "a: b", "*x", "é\u2028x"].map((group) => ({ group, role: "cli", in: ["y"] })),
      },
    ],
  ])("writes %s as text that is read as it was", async (_, document) => {
    const policy = read(document);
    const text = await writePolicyText(present(policy), () => true, new LongWork());
    expect(readPolicyText(text)).toEqual({ ok: true, policy });
  });

  it("writes nothing that is as usual", async () => {
    expect(await written(read({ environments: { dev: {} } }))).toEqual({
      environments: { dev: { upstreams: [] } },
      roles: {},
      assign: [],
    });
  });

  it("writes the environments of the caller, and what is assigned in them", async () => {
    const policy = present(read(whole));
    const mine = await writePolicy(policy, (name) => name === "prod", new LongWork());
    expect(Object.keys(mine.environments)).toEqual(["prod"]);
    expect(mine.assign).toEqual([expect.objectContaining({ group: "ml-team", in: ["prod"] })]);
  });
});
