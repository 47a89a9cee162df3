/**
 * The shape of a policy file. It is the source of the JSON Schema for editors and the first of two looks at a file;
 * the second (names that must exist, uniqueness) is `access/policy-file.ts`.
 */
import { z } from "zod";
import {
  alertActions,
  alertKinds,
  factors,
  isDataPermission,
  parseModelName,
  parseSelector,
  trafficLeakActions,
  upstreamKinds,
} from "@sallyport/protocol";
import { parseDurationMs } from "./duration.ts";
import { limits } from "./limits.ts";
import { duration, groupName, guard, network, ROLE_NAME_FORM, roleName } from "./scalars.ts";

const KEY_AGE_MAX_MS = 90 * 86_400_000;
const BOUND_MAX_MS = 24 * 3_600_000;
const LIMIT_ENTRIES_MAX = 256;
const TOO_MANY = `has more than ${LIMIT_ENTRIES_MAX} entries`;
const TOKEN_TTL_MAX_MS = 12 * 3_600_000;

const permission = z
  .string()
  .refine(isDataPermission, "is not a permission of the data plane")
  .describe("a permission of the data plane");
const alertAction = z.enum(alertActions);
const selector = z
  .string()
  .refine((text) => parseSelector(text) !== undefined, "is not a model selector")
  .describe("a model selector such as llama3.2, qwen3:*, library/*, * or cloud:…");
const modelName = z
  .string()
  .max(512)
  .refine((text) => parseModelName(text) !== undefined, "is not a model name")
  .describe("a model name such as llama3.2 or qwen3:8b");
const registry = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?$/, "is not a registry host in lower case");

/** `http://host:port`: nothing that could hide a path, a user or a query. */
export function isUpstreamUrl(text: string): boolean {
  const parts = /^https?:\/\/(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):([0-9]{1,5})$/.exec(text);
  return parts !== null && Number(parts[1]) >= 1 && Number(parts[1]) <= 65_535;
}

const zone = z.string().max(64).refine(isTimeZone, "is not a time zone such as UTC or Europe/Berlin");

const networks = z.array(network).min(1).max(256);
const require = z.array(z.enum(factors)).max(factors.length);

/** What happens to a key, apart from losing its permissions. */
const fate = z.enum(["revoke", "suspend", "keep"]);

/** Timers count to 24 days; a bound of a call is shorter. */
const bound = positive(duration).refine((text) => (parseDurationMs(text) ?? 0) <= BOUND_MAX_MS, "is more than 24h");

const upstream = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "is not an upstream id (a-z, 0-9, -)")
    .optional()
    .describe("name of the model server in logs and lists (default: u1, u2…)"),
  url: z
    .string()
    .refine(isUpstreamUrl, "is not http://host:port or https://host:port (no path, user or query)")
    .describe("http://host:port or https://host:port"),
  kind: z
    .enum(upstreamKinds)
    .optional()
    .describe(
      "ollama (default); openai for a server that speaks only OpenAI's dialect, such as vLLM, LM Studio or LocalAI; llama.cpp for llama.cpp's server, which also reports its slots",
    ),
  concurrency: z.int().min(1).max(100_000).optional().describe("requests at the same time per model"),
  shared: z
    .boolean()
    .optional()
    .describe(
      "the server is another environment's, too; both must say so unless an administrator of everything applies it",
    ),
  timeout: positive(duration)
    .optional()
    .describe("short form: sets `timeouts.firstByte` and `timeouts.silence`, if those are not set"),
  timeouts: z
    .strictObject({
      connect: bound.optional().describe("until a connection is made; 5s"),
      firstByte: bound
        .optional()
        .describe(
          "until a streamed answer begins, which includes loading the model; 5m. Answers in one piece: see `answer`",
        ),
      silence: bound.optional().describe("longest pause inside an answer; 5m"),
      answer: bound
        .optional()
        .describe("longest time of a whole answer, and the only bound of one that comes in one piece; 1h"),
    })
    .optional()
    .describe("time bounds of one call to the model server"),
});

const environment = z.strictObject({
  upstreams: z.array(upstream).max(64).default([]).describe("model servers of this environment and of no other"),
  queue: z
    .strictObject({
      wait: bound.optional().describe("how long a request waits for a slot before it is denied; 5m"),
      length: z.int().min(0).max(10_000).optional().describe("how many requests wait for one model; 256"),
    })
    .optional()
    .describe("the queue of each model, in front of all model servers that bound `concurrency`"),
  readerStall: bound
    .optional()
    .describe(
      "a client that takes less than 16 KiB of its response in this time is disconnected, and its slot becomes free; 1m",
    ),
  keys: z
    .strictObject({
      maxAge: positive(duration)
        .refine((text) => (parseDurationMs(text) ?? 0) <= KEY_AGE_MAX_MS, "is more than 90d")
        .optional()
        .describe("longest lifetime of a key; at most 90d, which is the default"),
      overlap: duration.optional().describe("how long the old secret works after the first use of the new one; 7d"),
      overlapMax: positive(duration)
        .optional()
        .describe("longest time from a rotation's start to the old secret's end, and for the new one to be used; 14d"),
      quiet: duration
        .optional()
        .describe("an old secret unused for so long, while the new is used, ends; 1d, 0s = never"),
      rotateWithin: duration.optional().describe("how long an expired key is kept before it is revoked; 7d"),
      notices: z
        .array(positive(duration))
        .min(1)
        .max(16)
        .optional()
        .describe("when notice is given before a key ends; 14d, 7d, 3d, 1d. The first also begins the headers"),
      brownout: duration
        .optional()
        .describe("from this long before a key expires, it is denied for five minutes of each hour; 0s = never"),
      neverUsed: duration.optional().describe("a key that was never used is suspended; 14d, 0s = never"),
      unusedNotice: duration.optional().describe("notice of a key that is not used any more; 30d, 0s = never"),
      idle: duration.optional().describe("a key that is not used any more is suspended; 45d, 0s = never"),
      destroy: duration.optional().describe("a key that is not used any more is revoked; 90d, 0s = never"),
      orphan: duration.optional().describe("a key whose owner is disabled is suspended; 7d, 0s = never"),
      onLeave: fate
        .optional()
        .describe("what happens to keys when their owner is deactivated: revoke (default), suspend or keep"),
      onRoleLost: fate
        .optional()
        .describe("… when their owner loses a role that they use: revoke (default), suspend or keep"),
      onSignOut: fate
        .optional()
        .describe("… when their owner is signed out everywhere: revoke, suspend or keep (default)"),
      onRisk: z
        .enum(["revoke", "suspend", "signature", "keep"])
        .optional()
        .describe(
          "… when the provider reports a high risk for their owner: revoke, suspend (default), signature (each request must be signed from then on) or keep",
        ),
    })
    .optional(),
  cloud: z
    .enum(["deny", "allow"])
    .default("deny")
    .describe("whether cloud models and web search can be granted at all"),
  registries: z
    .array(registry)
    .max(64)
    .default(["registry.ollama.ai"])
    .describe("hosts that models may be pulled from and pushed to"),
  keepAliveMax: duration
    .default("5m")
    .describe("longest keep_alive without runtime:pin; a longer one is lowered to it"),
  limits: limits.optional().describe("of each user: all of their keys in the environment together"),
  zone: zone.optional().describe("IANA time zone in which days, weeks and months of budgets begin; UTC"),
  total: limits.optional().describe("of all requests in the environment together"),
  teams: z
    .record(z.string().min(1).max(100), limits)
    .refine(hasFew, TOO_MANY)
    .optional()
    .describe("of each team: all of its members together; `weight` is the team's share"),
  models: z
    .record(selector, limits)
    .refine(hasFew, TOO_MANY)
    .optional()
    .describe("of all requests with the models that a selector matches"),
  guard: guard.optional(),
  networks: networks.optional().describe("networks from which its keys can be used, such as 10.0.0.0/8; default: any"),
  require: require.optional().describe("access conditions that each request must meet in addition to the credential"),
  requireFor: z
    .array(z.strictObject({ do: z.array(permission).min(1).max(64), need: require }))
    .max(64)
    .optional()
    .describe("additional access conditions for some permissions"),
  tokens: z
    .strictObject({
      ttl: positive(duration)
        .refine((text) => (parseDurationMs(text) ?? 0) <= TOKEN_TTL_MAX_MS, "is more than 12h")
        .optional()
        .describe("how long a token usually lives; 15m. What follows the risk begins here"),
      only: z.boolean().optional().describe("keys can only be exchanged for tokens"),
    })
    .optional()
    .describe("short-lived access tokens"),
  pathSecrets: z
    .enum(["deny", "allow"])
    .default("deny")
    .describe("whether keys may have a secret for paths, for clients that can send no header"),
  inferenceRecording: z
    .enum(["fail_closed", "fail_open_with_gap_record"])
    .default("fail_closed")
    .describe(
      "what happens to inference while the audit log cannot be written (a full disk): denied, or served, counted and recorded as a gap. Everything else is always denied",
    ),
  reviews: z
    .array(
      z.strictObject({
        every: z.enum(["quarterly", "monthly"]).describe("starts with each quarter or month (UTC)"),
        scope: z
          .enum(["all", "privileged"])
          .default("all")
          .describe("privileged: admin keys, and what can change models, servers or bounds"),
        due: duration
          .default("14d")
          .refine(isReviewTime, "is not between 1d and 28d")
          .describe("how long reviewers have: 1d to 28d; default 14d"),
        reviewers: z
          .array(z.string().min(1).max(128))
          .max(50)
          .default([])
          .describe("names or ids of the admin keys that decide; default: each that may"),
      }),
    )
    .max(4)
    .refine((items) => new Set(items.map(({ every, scope }) => `${every} ${scope}`)).size === items.length, {
      message: "names one rhythm twice",
    })
    .optional()
    .describe("access reviews that start by themselves"),
  anomalies: z
    .strictObject({
      budget: z
        .number()
        .positive()
        .max(1_000)
        .optional()
        .describe("alerts a key and 30 days that likelihoods may make; 1"),
      actions: z
        .strictObject({
          default: alertAction.optional(),
          ...Object.fromEntries(alertKinds.map((kind) => [kind, alertAction.optional()])),
        })
        .optional()
        .describe(
          "what is done about each kind of alert, and by default: notify. More than that only for a fact or two independent signals",
        ),
      for: positive(duration).optional().describe("how long an automatic action lasts; 1h"),
    })
    .optional()
    .describe("what is done about unusual use of keys"),
  leaks: z
    .strictObject({
      traffic: z
        .enum(trafficLeakActions)
        .describe(
          "what is done about keys in requests and responses: notify (default: record it and send a notice), redact, stop, or quarantine (stop, and treat the key as leaked)",
        ),
    })
    .optional()
    .describe("keys in requests and responses"),
});

const role = z.strictObject({
  allow: z
    .array(
      z.strictObject({
        do: z.array(permission).min(1).max(64).describe("what is allowed"),
        on: z.array(selector).min(1).max(256).optional().describe("default: the selectors of the key or assignment"),
      }),
    )
    .max(64),
  limits: limits.optional().describe("of each user who has the role: all of their keys in an environment together"),
  guard: guard.optional(),
  networks: networks.optional().describe("networks from which its permissions can be used; default: any"),
  require: require.optional().describe("access conditions for its permissions"),
});

const assignment = z.strictObject({
  group: groupName.optional().describe("everybody of the group; this or a principal"),
  principal: z.string().min(1).max(100).optional().describe("id or unique name of a person or service"),
  role: z
    .union([roleName, z.array(roleName).min(1).max(32)])
    .optional()
    .describe("roles given; these, `allow`, or both"),
  allow: z.array(permission).min(1).max(64).optional().describe("permissions in addition to roles"),
  on: z.array(selector).max(256).optional().describe("default: the role's selectors"),
  in: z.array(z.string()).min(1).max(64).describe("names of environments"),
});

const tested = z.strictObject({
  do: z.union([permission, z.array(permission).min(1).max(64)]).describe("a permission, or several"),
  on: z
    .union([modelName, z.array(modelName).min(1).max(256)])
    .optional()
    .describe("names of models, for permissions that need one"),
});

const test = z.strictObject({
  as: z
    .strictObject({
      group: groupName.optional().describe("with everything that is assigned to the group in the environment"),
      role: z
        .union([roleName, z.array(roleName).min(1).max(32)])
        .optional()
        .describe("with these roles, as a key would have them"),
      allow: z.array(permission).min(1).max(64).optional().describe("with these permissions, as a key would have them"),
      on: z.array(selector).max(256).optional().describe("model selectors of `role` and `allow`"),
    })
    .describe("who is tested: `group`, `role`, `allow`, or several of them together"),
  in: z.string().describe("name of the environment"),
  may: z.array(tested).max(256).default([]).describe("what must be allowed"),
  mayNot: z.array(tested).max(256).default([]).describe("what must be denied"),
});

export const policySchema = z.strictObject({
  // The names' grammar is checked beside the schema: a wrong name must not hide the mistakes below it. Editors see it.
  environments: z
    .record(z.string().meta({ pattern: "^(?!system$)[a-z][a-z0-9]{0,15}$" }), environment)
    .describe("hard boundaries: own model servers, own keys"),
  roles: z
    .record(z.string().meta({ pattern: ROLE_NAME_FORM.source }), role)
    .default({})
    .describe("named sets of grants and limits"),
  assign: z.array(assignment).max(10_000).default([]).describe("who has which right where"),
  tests: z
    .array(test)
    .max(1_000)
    .default([])
    .describe(
      "what must be allowed and denied after the change; a test that fails rejects the whole file. Access conditions are assumed to be met",
    ),
});

export type PolicyFile = z.output<typeof policySchema>;
export type EnvironmentEntry = z.output<typeof environment>;
export type RoleEntry = z.output<typeof role>;
export type TestEntry = z.output<typeof test>;

/** JSON Schema (draft 2020-12) of what a person may write in the file. */
export function policyJsonSchema(): object {
  return z.toJSONSchema(policySchema, { io: "input" });
}

/** Each is looked at for every request of the environment. */
function hasFew(record: object): boolean {
  return Object.keys(record).length <= LIMIT_ENTRIES_MAX;
}

function isTimeZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

function positive(schema: z.ZodString): z.ZodString {
  return schema.refine((text) => parseDurationMs(text) !== 0, "is zero");
}

/** A review ends before the next one of its rhythm starts. */
function isReviewTime(text: string): boolean {
  const ms = parseDurationMs(text) ?? 0;
  return ms >= 86_400_000 && ms <= 28 * 86_400_000;
}
