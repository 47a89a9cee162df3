/** Right-sizing: what keys use of their scope, what would be left of it, and what recorded requests that would have denied. */
import { z } from "zod";
import { dataPermissions } from "@sallyport/protocol";
import type { ContractRow } from "./row.ts";
import { duration, environmentName, keyId, nothing, queryNumber, roleName, time } from "./scalars.ts";

const permission = z.enum(dataPermissions as [string, ...string[]]);

export const boundaryGrant = z.object({
  permissions: z.array(permission),
  /** Model selectors; null = as far as the scope of the key, or no model is needed. */
  models: z.array(z.string()).nullable(),
});

const boundaryDenial = z.object({
  at: time,
  /** Id of the request. */
  request: z.string(),
  /** `infer:embed on registry.ollama.ai/library/llama3.2:latest` */
  demanded: z.string(),
});

const keyPlan = z.object({
  /** `key:4vJ9Qm2LxT8c` */
  subject: z.string(),
  environment: z.string(),
  key: z.string(),
  keyName: z.string(),
  /** The scope of the key, and the boundary that is proposed. */
  before: z.array(boundaryGrant),
  /** Null where nothing is proposed, and `reason` says why. */
  after: z.array(boundaryGrant).nullable(),
  reason: z.string().nullable(),
  /** Permissions of the scope that were not used. */
  unused: z.number(),
  /** Permissions that the key would lose, and permissions that it would keep on fewer models. */
  removed: z.array(permission),
  narrowed: z.array(permission),
  /** Recorded decisions that were made again, and those of them that the boundary denies. */
  of: z.number(),
  wouldDeny: z.number(),
  /** Those that the present policy denies in any case, and those whose record does not name the model. */
  deniedAnyway: z.number(),
  unknown: z.number(),
  /** The first requests that would be denied. */
  examples: z.array(boundaryDenial),
});
export type KeyPlanView = z.output<typeof keyPlan>;

const planned = z.object({
  state: z.enum(["idle", "running", "done", "failed"]),
  /** Records of the audit log that were passed, and how many there are. */
  records: z.number(),
  total: z.number(),
  /** Recorded decisions that were made again. */
  decisions: z.number(),
  /** Time of the first of them; null without any. */
  from: time.nullable(),
  plans: z.array(keyPlan),
  /** More keys matched than one plan holds. */
  isTruncated: z.boolean(),
  /** What to give as `after` for the next page; null = this was the last. */
  next: z.string().nullable(),
  /** Why it failed. */
  failure: z.string().nullable(),
});
export type PlannedView = z.output<typeof planned>;

const rightsizingView = z.object({
  subject: z.string(),
  environment: z.string(),
  key: z.string(),
  keyName: z.string().nullable(),
  state: z.enum(["shadow", "applied", "ended"]),
  boundary: z.array(boundaryGrant),
  by: z.string(),
  at: time,
  /** When the shadow ends, or the guard of an applied boundary. */
  until: time,
  compared: z.number(),
  differences: z.number(),
  examples: z.array(boundaryDenial),
  end: z.object({ why: z.enum(["stopped", "taken_back"]), by: z.string(), at: time }).nullable(),
});
export type RightsizingView = z.output<typeof rightsizingView>;

const UNUSED = "permissions that were not used for this long are taken away; default: 400 days, at most that";
const one = z.strictObject({ keyId });
/** As a caller writes it: what a plan showed, or less. */
const chosen = z
  .array(
    z.strictObject({
      permissions: z.array(permission).min(1).max(64),
      models: z.array(z.string().min(1).max(512)).min(1).max(64).nullable(),
    }),
  )
  .max(64)
  .optional()
  .describe("the boundary, such as a plan proposed it; default: what is proposed now");
const EXAMPLE = {
  keyId: "4vJ9Qm2LxT8c",
  boundary: [{ permissions: ["infer:chat"], models: ["llama3.2"] }],
};
const unused = duration.optional().describe(UNUSED);

export const rightsizingRows = {
  "rightsizing.plan": {
    method: "POST",
    path: "/v1/rightsizing/plan",
    params: nothing,
    query: nothing,
    body: z.strictObject({
      keyId: keyId.optional().describe("one key; default: all that the caller administers"),
      role: roleName.optional().describe("keys whose scope or owner has the role"),
      environment: environmentName.optional(),
      unused,
    }),
    answer: planned,
    status: 200,
    permission: "keys:read",
    caller: "any",
    events: [],
    says: "begins a plan: which permissions and models keys use, and what recorded requests a narrower scope would have denied",
    example: { body: { environment: "dev" } },
  },
  "rightsizing.planned": {
    method: "GET",
    path: "/v1/rightsizing/plan",
    params: nothing,
    query: z.strictObject({
      /** `next` of the page before. */
      after: z.string().max(16).optional(),
      limit: queryNumber(1, 1_000).optional(),
    }),
    body: null,
    answer: planned,
    status: 200,
    permission: "keys:read",
    caller: "any",
    events: [],
    says: "returns the newest plan of the caller, or how far it is",
  },
  "rightsizing.list": {
    method: "GET",
    path: "/v1/rightsizing",
    params: nothing,
    query: z.strictObject({
      environment: environmentName.optional(),
      key: z.string().max(512).optional(),
      /** `next` of the page before. */
      after: z.string().max(64).optional(),
      limit: queryNumber(1, 1_000).optional(),
    }),
    body: null,
    answer: z.object({ rightsizings: z.array(rightsizingView), next: z.string().nullable() }),
    status: 200,
    permission: "keys:read",
    caller: "any",
    events: [],
    says: "lists the keys that are right-sized, or were, in the environments that the caller administers",
  },
  "rightsizing.shadow": {
    method: "POST",
    path: "/v1/rightsizing/shadow",
    params: nothing,
    query: nothing,
    body: one.extend({
      for: duration.optional().describe("how long requests are compared; default 7d"),
      boundary: chosen,
      unused,
    }),
    answer: rightsizingView,
    status: 200,
    permission: "keys:manage",
    caller: "any",
    events: ["rightsizing.shadowed"],
    says: "compares the requests of a key with the proposed boundary for some days; denies nothing",
    example: { body: { ...EXAMPLE, for: "7d" } },
  },
  "rightsizing.apply": {
    method: "POST",
    path: "/v1/rightsizing/apply",
    params: nothing,
    query: nothing,
    body: one.extend({
      guard: duration
        .optional()
        .describe("how long the first denial that is due to the boundary alone takes it back; default 32d"),
      boundary: chosen,
      unused,
    }),
    answer: rightsizingView,
    status: 200,
    permission: "keys:manage",
    caller: "any",
    events: ["rightsizing.applied"],
    says: "narrows what a key can do to the boundary of its shadow, or to what is proposed now",
    example: { body: { keyId: EXAMPLE.keyId, guard: "32d" } },
  },
  "rightsizing.stop": {
    method: "POST",
    path: "/v1/rightsizing/stop",
    params: nothing,
    query: nothing,
    body: one,
    answer: rightsizingView,
    status: 200,
    permission: "keys:manage",
    caller: "any",
    events: ["rightsizing.stopped"],
    says: "ends the shadow or the boundary of a key: it has its whole scope again",
    example: { body: { keyId: EXAMPLE.keyId } },
  },
} as const satisfies Record<string, ContractRow>;
