/**
 * The shape of a policy file. It is the source of the JSON Schema for editors and the first of two looks at a file;
 * the second (names that must exist, uniqueness) is `access/policy-file.ts`.
 */
import { z } from "zod";
import { isDataPermission, parseSelector } from "../index.ts";
import { parseDurationMs } from "./duration.ts";
import { duration, groupName, limits, ROLE_NAME_FORM, roleName } from "./scalars.ts";

const KEY_AGE_MAX_MS = 90 * 86_400_000;

const permission = z.string().refine(isDataPermission, "is not a permission of the data plane");
const selector = z.string().refine((text) => parseSelector(text) !== undefined, "is not a model selector");
const registry = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?$/, "is not a registry host in lower case");

/** `http://host:port`: nothing that could hide a path, a user or a query. */
export function isUpstreamUrl(text: string): boolean {
  const parts = /^https?:\/\/(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):([0-9]{1,5})$/.exec(text);
  return parts !== null && Number(parts[1]) >= 1 && Number(parts[1]) <= 65_535;
}

const guard = z.strictObject({
  outputTokens: z.int().min(1).max(1_000_000_000).optional().describe("most tokens of one answer"),
  images: z.int().min(0).max(10_000).optional().describe("most images of one request"),
});

const upstream = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "is not an upstream id (a-z, 0-9, -)")
    .optional(),
  url: z.string().refine(isUpstreamUrl, "is not http://host:port or https://host:port (no path, user or query)"),
  concurrency: z.int().min(1).max(100_000).optional().describe("requests at the same time per model"),
  timeout: positive(duration).optional().describe("time until the first byte of an answer; 5m when left out"),
});

const environment = z.strictObject({
  upstreams: z.array(upstream).max(64).default([]),
  keys: z
    .strictObject({
      maxAge: positive(duration)
        .refine((text) => (parseDurationMs(text) ?? 0) <= KEY_AGE_MAX_MS, "is more than 90d")
        .optional(),
    })
    .optional(),
  cloud: z.enum(["deny", "allow"]).default("deny"),
  registries: z.array(registry).max(64).default(["registry.ollama.ai"]),
  keepAliveMax: duration.default("5m").describe("longest keep_alive without runtime:pin"),
  limits: limits.optional(),
  guard: guard.optional(),
});

const role = z.strictObject({
  allow: z
    .array(
      z.strictObject({
        do: z.array(permission).min(1).max(64),
        on: z
          .array(selector)
          .min(1)
          .max(256)
          .optional()
          .describe("left out: the key's or assignment's selectors name the models"),
      }),
    )
    .max(64),
  limits: limits.optional(),
  guard: guard.optional(),
});

const assignment = z.strictObject({
  group: groupName.optional(),
  principal: z.string().min(1).max(100).optional().describe("id or unique name of a person or service"),
  role: z.union([roleName, z.array(roleName).min(1).max(32)]).optional(),
  allow: z.array(permission).min(1).max(64).optional(),
  on: z.array(selector).max(256).optional().describe("left out: the role's own selectors"),
  in: z.array(z.string()).min(1).max(64),
});

export const policySchema = z.strictObject({
  // The names' grammar is checked beside the schema: a wrong name must not hide the mistakes below it. Editors see it.
  environments: z.record(z.string().meta({ pattern: "^(?!system$)[a-z][a-z0-9]{0,15}$" }), environment),
  roles: z.record(z.string().meta({ pattern: ROLE_NAME_FORM.source }), role).default({}),
  assign: z.array(assignment).max(10_000).default([]),
});

export type PolicyFile = z.output<typeof policySchema>;
export type EnvironmentEntry = z.output<typeof environment>;
export type RoleEntry = z.output<typeof role>;

/** JSON Schema (draft 2020-12) of what a person may write in the file. */
export function policyJsonSchema(): object {
  return z.toJSONSchema(policySchema, { io: "input" });
}

function positive(schema: z.ZodString): z.ZodString {
  return schema.refine((text) => parseDurationMs(text) !== 0, "is zero");
}
