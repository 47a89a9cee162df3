/** Environments, roles, the policy as a whole, and the explanation of decisions. */
import { z } from "zod";
import type { ContractRow } from "./row.ts";
import { duration, environmentName, keyId, nameList, nothing, roleName } from "./scalars.ts";
import { assignmentView, environmentView, roleView } from "./views.ts";

/** Longest policy text, in characters. */
export const POLICY_TEXT_MAX = 512 * 1024;

const text = z.string().max(POLICY_TEXT_MAX);
const POLICY_EXAMPLE = `environments:
  dev:
    upstreams:
      - { url: "http://127.0.0.1:11434" }
      - { id: gpu, url: "https://gpu.example.org:8443", kind: openai }
    keys: { maxAge: 30d }
`;
const planned = z.object({
  /** One line a change, in the order they are made; empty when policy is already so. */
  changes: z.array(z.string()),
  /** The epoch the plan was made on, or, after applying, the one that now holds. */
  epoch: z.number(),
});

export const policyRows = {
  "roles.list": {
    method: "GET",
    path: "/v1/roles",
    params: nothing,
    query: nothing,
    body: null,
    answer: z.object({ roles: z.array(roleView) }),
    status: 200,
    permission: "policy:read",
    caller: "any",
    events: [],
    says: "lists built-in roles and those of policy",
  },
  "roles.show": {
    method: "GET",
    path: "/v1/roles/:name",
    params: z.strictObject({ name: roleName }),
    query: nothing,
    body: null,
    answer: roleView,
    status: 200,
    permission: "policy:read",
    caller: "any",
    events: [],
    says: "shows one role",
    example: { params: { name: "chatbot" } },
  },
  "environments.list": {
    method: "GET",
    path: "/v1/environments",
    params: nothing,
    query: nothing,
    body: null,
    answer: z.object({ environments: z.array(environmentView) }),
    status: 200,
    permission: "policy:read",
    caller: "any",
    events: [],
    says: "lists the environments the caller administers",
  },
  "environments.show": {
    method: "GET",
    path: "/v1/environments/:name",
    params: z.strictObject({ name: environmentName }),
    query: nothing,
    body: null,
    answer: environmentView,
    status: 200,
    permission: "policy:read",
    caller: "any",
    events: [],
    says: "shows one environment",
    example: { params: { name: "dev" } },
  },
  "policy.show": {
    method: "GET",
    path: "/v1/policy",
    params: nothing,
    query: nothing,
    body: null,
    answer: z.object({
      epoch: z.number(),
      environments: z.array(environmentView),
      roles: z.array(roleView),
      assignments: z.array(assignmentView),
    }),
    status: 200,
    permission: "policy:read",
    caller: "any",
    events: [],
    says: "shows what the policy file governs: environments, roles and its assignments",
  },
  "policy.text": {
    method: "GET",
    path: "/v1/policy/text",
    params: nothing,
    query: nothing,
    body: null,
    answer: z.object({
      epoch: z.number(),
      /** YAML. Comments and tests of the file that was applied are not kept. */
      text: z.string(),
      /** Environments of which the caller sees nothing exist: applied as it is, the text would remove them. */
      isPart: z.boolean(),
    }),
    status: 200,
    permission: "policy:read",
    caller: "any",
    events: [],
    says: "writes the policy in force as a policy file, which changes nothing if it is applied",
  },
  "policy.plan": {
    method: "POST",
    path: "/v1/policy/plan",
    params: nothing,
    query: nothing,
    body: z.strictObject({ text }),
    answer: planned,
    status: 200,
    permission: "policy:write",
    caller: "any",
    events: [],
    says: "says what applying a policy file would change; changes nothing",
    example: { body: { text: POLICY_EXAMPLE } },
  },
  "policy.apply": {
    method: "POST",
    path: "/v1/policy",
    params: nothing,
    query: nothing,
    body: z.strictObject({ text, expectEpoch: z.int().min(0).optional() }),
    answer: planned,
    status: 200,
    permission: "policy:write",
    caller: "any",
    events: ["policy.applied", "environment.changed", "role.changed", "assignment.created", "assignment.removed"],
    says: "applies a policy file whole or not at all",
    example: { body: { text: POLICY_EXAMPLE } },
  },
  explainToken: {
    method: "POST",
    path: "/v1/explain/token",
    params: nothing,
    query: nothing,
    body: z.strictObject({
      keyId,
      /** Default: all of the key's. */
      allow: nameList.optional(),
      ttl: duration.optional(),
      /** It must prove possession of a key with each use (DPoP). */
      isBound: z.boolean().default(false),
      isIdentified: z.boolean().default(false),
    }),
    answer: z.object({ seconds: z.number(), because: z.array(z.string()) }),
    status: 200,
    permission: "policy:read",
    caller: "any",
    events: [],
    says: "says how long a token of a key would live, and the sum",
    example: { body: { keyId: "4vJ9Qm2LxT8c", ttl: "1h" } },
  },
  explain: {
    method: "POST",
    path: "/v1/explain",
    params: nothing,
    query: nothing,
    body: z.strictObject({
      keyId,
      method: z.string().regex(/^[A-Z]{3,7}$/, "is not an HTTP method"),
      path: z.string().startsWith("/", "does not begin with /").max(1_024),
      model: z.string().min(1).max(512).optional(),
      /** What the request provides in addition to the key. Without any of the three, access conditions are listed and assumed to be met. */
      address: z.union([z.ipv4(), z.ipv6()]).optional(),
      isSigned: z.boolean().optional(),
      isIdentified: z.boolean().optional(),
    }),
    answer: z.object({
      allowed: z.boolean(),
      code: z.string(),
      because: z.array(z.string()),
      remedy: z.array(z.string()),
    }),
    status: 200,
    permission: "policy:read",
    caller: "any",
    events: [],
    says: "says whether a key may do a request, by which rule, and what would change it",
    example: { body: { keyId: "4vJ9Qm2LxT8c", method: "POST", path: "/api/chat", model: "llama3.2" } },
  },
} as const satisfies Record<string, ContractRow>;
