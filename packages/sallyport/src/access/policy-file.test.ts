import { describe, expect, it } from "vitest";
import { environmentDefaults } from "./default-environment.ts";
import { readPolicy } from "./policy-file.ts";

function manyLimits(nameOf: (index: number) => string): object {
  return Object.fromEntries(Array.from({ length: 257 }, (_, i) => [nameOf(i), { concurrency: 1 }]));
}

function mistakesOf(document: unknown): string[] {
  const read = readPolicy(document);
  return read.ok ? [] : read.mistakes.map(({ path, says }) => `${path.join(".")}: ${says}`);
}

const upstreams = [{ url: "http://127.0.0.1:11434" }];

describe("readPolicy", () => {
  it("reads the whole language", () => {
    const read = readPolicy({
      environments: {
        dev: { upstreams },
        prod: {
          upstreams: [
            { id: "gpu", url: "https://10.1.0.5:11434", concurrency: 4, timeout: "2m" },
            { url: "http://[::1]:11434" },
          ],
          keys: { maxAge: "30d" },
          cloud: "allow",
          registries: ["hf.co"],
          keepAliveMax: "10m",
          limits: { requests: "100/s", concurrency: 8 },
          guard: { outputTokens: 4096 },
        },
      },
      roles: {
        "support-bot": {
          allow: [{ do: ["infer:chat"], on: ["llama3.2", "qwen3:*"] }],
          limits: { requests: "60/min", concurrency: 4 },
          guard: { outputTokens: 2048, images: 4 },
        },
      },
      assign: [
        { group: "ml-team", role: "support-bot", in: ["dev", "prod"] },
        { principal: "anna", role: ["chatbot", "cli"], allow: ["usage:read"], on: ["*"], in: ["dev"] },
      ],
    });
    if (!read.ok) throw new Error(JSON.stringify(read.mistakes));
    const [dev, prod] = read.policy.environments;
    expect(dev).toEqual({
      name: "dev",
      upstreams: [{ id: "u1", url: "http://127.0.0.1:11434" }],
      queue: { waitMs: 300_000, lengthMax: 256 },
      readerStallMs: 60_000,
      keyMaxAgeMs: 90 * 86_400_000,
      keyLife: environmentDefaults.keyLife,
      keyFate: { onLeave: "revoke", onRoleLost: "revoke", onSignOut: "keep", onRisk: "suspend" },
      cloud: "deny",
      registries: ["registry.ollama.ai"],
      keepAliveMaxSeconds: 300,
      limits: {},
      guard: {},
      networks: null,
      require: [],
      requireFor: [],
      pathSecrets: "deny",
      tokens: { ttlMs: 900_000, isOnly: false },
      anomalies: { budget: 1, actions: { default: "notify", decoy_used: "suspend" }, forMs: 3_600_000 },
      inferenceRecording: "fail_closed",
    });
    expect(prod).toMatchObject({
      upstreams: [{ id: "gpu", concurrency: 4, timeoutMs: 120_000 }, { id: "u2" }],
      keyMaxAgeMs: 30 * 86_400_000,
      keepAliveMaxSeconds: 600,
      limits: { requests: { count: 100, windowMs: 1_000 }, concurrency: 8 },
    });
    expect(read.policy.roles).toEqual([
      {
        name: "support-bot",
        grants: [{ permissions: ["infer:chat"], models: ["llama3.2", "qwen3:*"] }],
        limits: { requests: { count: 60, windowMs: 60_000 }, concurrency: 4 },
        guard: { outputTokens: 2048, images: 4 },
        networks: null,
        require: [],
      },
    ]);
    expect(read.policy.assignments.map(({ environment }) => environment)).toEqual(["dev", "prod", "dev"]);
    expect(read.policy.assignments[2]).toEqual({
      subject: { principal: "anna" },
      environment: "dev",
      right: { roles: ["chatbot", "cli"], allow: ["usage:read"], models: ["*"] },
    });
  });

  it("reads the life of keys, each length by itself, and notices the longest first", () => {
    const keys = { overlap: "2d", notices: ["1d", "10d"], idle: "0s" };
    const read = readPolicy({ environments: { dev: { keys } } });
    const life = { ...environmentDefaults.keyLife, overlapMs: 2 * 86_400_000, idleMs: 0 };
    expect(read).toMatchObject({
      policy: { environments: [{ keyLife: { ...life, noticesMs: [10 * 86_400_000, 86_400_000] } }] },
    });
  });

  it("reads limits: budgets of tokens, compute time and more, weight, priority, and those of teams and models", () => {
    const limits = {
      requests: "60/min",
      tokens: "200k/day",
      compute: "30m/day",
      concurrency: 4,
      weight: 2,
      maxService: "60s",
      priority: "batch",
      soft: ["compute"],
    };
    const read = readPolicy({
      environments: {
        dev: {
          upstreams,
          limits,
          zone: "Europe/Berlin",
          teams: { ml: { weight: 3 } },
          models: { "qwen3:*": { images: "5/week" } },
        },
      },
    });
    expect(read).toMatchObject({
      policy: {
        environments: [
          {
            limits: {
              requests: { count: 60, windowMs: 60_000 },
              tokens: { amount: 200_000, windowMs: 86_400_000 },
              compute: { amount: 1_800_000, windowMs: 86_400_000 },
              concurrency: 4,
              weight: 2,
              maxServiceMs: 60_000,
              priority: "batch",
              soft: ["compute"],
            },
            quotas: {
              zone: "Europe/Berlin",
              total: {},
              teams: [{ name: "ml", limits: { weight: 3 } }],
              models: [{ selector: "qwen3:*", limits: { images: { amount: 5, windowMs: 604_800_000 } } }],
            },
          },
        ],
      },
    });
  });

  it.each([
    ["limits.tokens", { limits: { tokens: "-1/day" } }],
    ["limits.tokens", { limits: { tokens: "0/day" } }],
    ["limits.tokens", { limits: { tokens: "1.5k/day" } }],
    ["limits.tokens", { limits: { tokens: "999999999999999G/day" } }],
    ["limits.tokens", { limits: { tokens: "10/year" } }],
    ["limits.compute", { limits: { compute: "30/day" } }],
    ["limits.weight", { limits: { weight: 0 } }],
    ["limits.weight", { limits: { weight: Number.POSITIVE_INFINITY } }],
    ["limits.maxService", { limits: { maxService: "10ms" } }],
    ["limits.priority", { limits: { priority: "first" } }],
    ["limits.soft.0", { limits: { soft: ["requests"] } }],
    ["limits.budget", { limits: { budget: "1/day" } }],
    ["zone", { zone: "Mars/Olympus" }],
    ["models.not a model", { models: { "not a model": {} } }],
  ])("a limit that cannot be held is refused: %s of %j", (place, dev) => {
    const [mistake] = mistakesOf({ environments: { dev: { upstreams, ...dev } } });
    expect(mistake?.split(": ")[0]).toBe(`environments.dev.${place}`);
  });

  it("reads the doors of environments, permissions and roles", () => {
    const read = readPolicy({
      environments: {
        prod: {
          networks: ["10.0.0.0/8", "2001:db8::/32"],
          require: ["network", "signature", "network"],
          requireFor: [{ do: ["models:delete"], need: ["signature"] }],
          pathSecrets: "allow",
          inferenceRecording: "fail_open_with_gap_record",
        },
      },
      roles: { r: { allow: [], networks: ["192.0.2.1"], require: ["signature"] } },
    });
    expect(read).toMatchObject({
      policy: {
        environments: [
          {
            networks: ["10.0.0.0/8", "2001:db8::/32"],
            require: ["network", "signature"],
            requireFor: [{ permissions: ["models:delete"], require: ["signature"] }],
            pathSecrets: "allow",
            inferenceRecording: "fail_open_with_gap_record",
          },
        ],
        roles: [{ networks: ["192.0.2.1"], require: ["signature"] }],
      },
    });
  });

  it.each([
    ["environments.e.networks.0", { environments: { e: { networks: ["10.0.0.0/40"] } } }],
    ["environments.e.networks", { environments: { e: { networks: [] } } }],
    ["environments.e.require.0", { environments: { e: { require: ["door"] } } }],
    [
      "environments.e.requireFor.0.need.0",
      { environments: { e: { requireFor: [{ do: ["infer:chat"], need: ["door"] }] } } },
    ],
    ["roles.r.networks.0", { environments: {}, roles: { r: { allow: [], networks: ["10.0.0.0/x"] } } }],
    ["roles.r.require.0", { environments: {}, roles: { r: { allow: [], require: ["door"] } } }],
    ["environments.e.models", { environments: { e: { models: manyLimits((i) => `model${i}`) } } }],
    ["environments.e.teams", { environments: { e: { teams: manyLimits((i) => `team ${i}`) } } }],
  ])("a mistake in a door or a limit is told: %s", (place, document) => {
    expect(mistakesOf(document).map((mistake) => mistake.split(": ")[0])).toContain(place);
  });

  it.each([
    ["an unknown key", { environments: {}, other: 1 }, "other"],
    ["an unknown key of an environment", { environments: { dev: { upstreams, other: 1 } } }, "environments.dev.other"],
    ["the reserved environment", { environments: { system: { upstreams } } }, "environments.system"],
    ["an environment's grammar", { environments: { Dev: { upstreams } } }, "environments.Dev"],
    [
      "a longer key age",
      { environments: { dev: { upstreams, keys: { maxAge: "91d" } } } },
      "environments.dev.keys.maxAge",
    ],
    [
      "a key age of zero",
      { environments: { dev: { upstreams, keys: { maxAge: "0d" } } } },
      "environments.dev.keys.maxAge",
    ],
    [
      "a duration without unit",
      { environments: { dev: { upstreams, keepAliveMax: "5" } } },
      "environments.dev.keepAliveMax",
    ],
    [
      "a rate",
      { environments: { dev: { upstreams, limits: { requests: "60" } } } },
      "environments.dev.limits.requests",
    ],
    ["a role's permission", { environments: {}, roles: { r: { allow: [{ do: ["chat"] }] } } }, "roles.r.allow.0.do.0"],
    [
      "an admin permission in a role",
      { environments: {}, roles: { r: { allow: [{ do: ["keys:issue"] }] } } },
      "roles.r.allow.0.do.0",
    ],
    [
      "a selector",
      { environments: {}, roles: { r: { allow: [{ do: ["infer:chat"], on: ["a b"] }] } } },
      "roles.r.allow.0.on.0",
    ],
    ["a built-in role", { environments: {}, roles: { chatbot: { allow: [] } } }, "roles.chatbot"],
    ["a role of administration defined", { environments: {}, roles: { admin: { allow: [] } } }, "roles.admin"],
    [
      "a role of administration assigned",
      { environments: { dev: { upstreams } }, assign: [{ group: "g", role: "admin", in: ["dev"] }] },
      "assign.0.role",
    ],
    [
      "a role that is not there",
      { environments: { dev: { upstreams } }, assign: [{ group: "g", role: "x", in: ["dev"] }] },
      "assign.0.role",
    ],
    [
      "an environment that is not there",
      { environments: {}, assign: [{ group: "g", role: "cli", in: ["dev"] }] },
      "assign.0.in.0",
    ],
    [
      "two subjects",
      { environments: { dev: { upstreams } }, assign: [{ group: "g", principal: "p", role: "cli", in: ["dev"] }] },
      "assign.0",
    ],
    [
      "an upstream id twice",
      {
        environments: {
          dev: {
            upstreams: [
              { id: "a", url: "http://h:1" },
              { id: "a", url: "http://h:2" },
            ],
          },
        },
      },
      "environments.dev.upstreams.1.id",
    ],
    [
      "an assignment twice",
      { environments: { dev: { upstreams } }, assign: [{ group: "g", role: "cli", in: ["dev", "dev"] }] },
      "assign.0.in.1",
    ],
  ])("refuses %s", (_name, document, path) => {
    const mistakes = mistakesOf(document);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(new RegExp(`^${path.replaceAll(".", "\\.")}: `));
  });

  it.each([
    "127.0.0.1:11434",
    "ftp://h:1",
    "http://h",
    "http://h:1/",
    "http://h:1/api",
    "http://h:1?x=1",
    "http://u:p@h:1",
    "http://h:1#f",
    "http://h:0",
    "http://h:70000",
    "http://[::::]:1",
    "HTTP://h:1",
  ])("refuses the upstream url %s", (url) => {
    expect(mistakesOf({ environments: { dev: { upstreams: [{ url }] } } })[0]).toMatch(
      /^environments\.dev\.upstreams\.0\.url: /,
    );
  });

  it("lists every mistake at once, also those of names", () => {
    const mistakes = mistakesOf({
      environments: { dev: { upstreams: [{ url: "x" }], require: ["door"] }, Prod: { cloud: "maybe" } },
      roles: { chatbot: { allow: [{ do: ["fly"] }] } },
      assign: [{ group: "g", role: "nobody", in: ["moon"] }],
    });
    expect(mistakes.map((mistake) => mistake.split(": ")[0]).sort()).toEqual(
      [
        "assign.0.in.0",
        "assign.0.role",
        "environments.Prod",
        "environments.dev.require.0",
        "environments.dev.upstreams.0.url",
        "environments.Prod.cloud",
        "roles.chatbot",
        "roles.chatbot.allow.0.do.0",
      ].sort(),
    );
  });

  it.each([null, undefined, [], "text", 5, { environments: [] }])("refuses %j", (document) => {
    expect(readPolicy(document).ok).toBe(false);
  });
});
