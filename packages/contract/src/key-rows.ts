/** Keys and admin keys. */
import { z } from "zod";
import { limits } from "./limits.ts";
import { factorFields } from "./key-factor-rows.ts";
import type { ContractRow } from "./row.ts";
import {
  delivery,
  displayName,
  duration,
  environmentName,
  guard,
  keyId,
  nameList,
  nothing,
  queryNumber,
} from "./scalars.ts";
import {
  adminKeyView,
  issuedAdminKey,
  issuedKey,
  keyFindingView,
  keyInFull,
  keyView,
  listedKey,
  rotatedKey,
} from "./views.ts";

const mayGrant = z.strictObject({
  allow: nameList,
  models: nameList.default([]),
  /** What is handed out must have limits and guards at least so tight. */
  limits: limits.optional(),
  guard: guard.optional(),
});
const byId = z.strictObject({ id: keyId });

export const keyRows = {
  "keys.list": {
    method: "GET",
    path: "/v1/keys",
    params: nothing,
    query: z.strictObject({
      environment: environmentName.optional(),
      /** Principal id. */
      owner: z.string().max(64).optional(),
      /** A piece of its name, its id, or the name or id of its owner; in any case. */
      search: displayName.optional(),
      /** `expired`: active, and past its end. */
      state: z.enum(["active", "expired", "suspended", "revoked"]).optional(),
      /** As the findings `key_near_expiry`, `key_unused` and `key_never_used`, and `key_on_old_secret`. */
      risk: z.enum(["expiring", "idle", "old_secret"]).optional(),
      /** `created`, `used`: the newest first. `expires`: the soonest first. Default: by environment and id. */
      sort: z.enum(["id", "name", "created", "expires", "used"]).optional(),
      /** `next` of the page before. */
      after: z.string().max(64).optional(),
      /** A list with `search`, `state`, `risk` or `sort` has at most 100 a page. */
      limit: queryNumber(1, 1_000).optional(),
    }),
    body: null,
    answer: z.object({
      keys: z.array(listedKey),
      next: z.string().nullable(),
      /**
       * Keys on all pages, counted up to 10,000; null where they were not counted (no search, state, risk or sort). An
       * older gateway does not send it.
       */
      total: z.object({ count: z.number(), isAtLeast: z.boolean() }).nullable().default(null),
    }),
    status: 200,
    permission: "keys:read",
    caller: "any",
    events: [],
    says: "lists keys of the environments the caller administers: all, or those that a search and filters find",
  },
  "keys.create": {
    method: "POST",
    path: "/v1/keys",
    params: nothing,
    query: nothing,
    body: z.strictObject({
      environment: environmentName,
      name: displayName,
      /** Id or unique name of a user or service; by default, a service with exactly this grant is created. */
      owner: z.string().min(1).max(100).optional(),
      roles: nameList.default([]),
      allow: nameList.default([]),
      /** Model selectors; none = no model. */
      models: nameList.default([]),
      /** Default: the environment's maximum. */
      ttl: duration.optional(),
      limits: limits.optional(),
      /** Networks from which it can be used; default: all that its environment and roles allow. */
      networks: factorFields.networks.optional(),
      /** The network of its first use becomes its only one. */
      binding: factorFields.binding.optional(),
      /** Factors that each of its requests must provide in addition. */
      require: factorFields.require.default([]),
      /** A canary key: no one has a reason to use it, and its first use raises an alert. */
      decoy: z.boolean().default(false),
      /** Without it, the response contains the key. */
      deliver: delivery.optional(),
    }),
    answer: issuedKey,
    status: 201,
    permission: "keys:issue",
    caller: "any",
    events: ["key.issued", "principal.created", "assignment.created", "ticket.issued"],
    says: "creates a key; its text is in this answer and nowhere else",
    example: { body: { environment: "dev", name: "my-app", roles: ["cli"], models: ["llama3.2"], ttl: "30d" } },
  },
  "keys.show": {
    method: "GET",
    path: "/v1/keys/:id",
    params: byId,
    query: nothing,
    body: null,
    answer: keyInFull,
    status: 200,
    permission: "keys:read",
    caller: "any",
    events: [],
    says: "shows one key, its secrets, and while it rotates which instances use which",
  },
  "keys.rotate": {
    method: "POST",
    path: "/v1/keys/:id/rotate",
    params: byId,
    query: nothing,
    body: z.strictObject({
      /** How long the old secret works after the first use of the new one; default: the environment's `overlap`. */
      grace: duration.optional(),
      /** The same one gets the same answer for 15 minutes, so that a lost answer is no lost key. */
      idempotencyKey: z
        .string()
        .regex(/^[\x21-\x7e]{16,128}$/, "is not 16 to 128 visible characters")
        .optional(),
      /** Also while the new secret of the last rotation is unused: that secret is destroyed. */
      restart: z.boolean().default(false),
      deliver: delivery.optional(),
    }),
    answer: rotatedKey,
    status: 201,
    permission: "keys:issue",
    caller: "any",
    events: ["key.rotation_begun", "ticket.issued"],
    says: "makes a new secret beside the old one, which ends some time after the first use of the new",
    example: { body: { grace: "24h", idempotencyKey: "5f0c2a34-8f5e-4c0e-9d52-rotate" } },
  },
  "keys.finish": {
    method: "POST",
    path: "/v1/keys/:id/finish",
    params: byId,
    query: nothing,
    body: null,
    answer: keyView,
    status: 200,
    permission: "keys:manage",
    caller: "any",
    events: ["key.rotation_ended"],
    says: "ends the overlap of a rotation now: the old secret is rejected from now on",
  },
  "keys.sweep": {
    method: "POST",
    path: "/v1/keys/sweep",
    params: nothing,
    query: nothing,
    body: z.strictObject({ dryRun: z.boolean() }),
    answer: z.object({ findings: z.array(keyFindingView) }),
    status: 200,
    permission: "keys:manage",
    caller: "any",
    events: ["key.notice", "key.suspended", "key.revoked", "key.rotation_ended"],
    says: "finds keys that are unused, orphaned or at their end, and unless it is a dry run does what policy says",
    example: { body: { dryRun: true } },
  },
  "keys.suspend": {
    method: "POST",
    path: "/v1/keys/:id/suspend",
    params: byId,
    query: nothing,
    body: null,
    answer: keyView,
    status: 200,
    permission: "keys:manage",
    caller: "any",
    events: ["key.suspended"],
    says: "suspends a key until it is resumed, and aborts its running requests",
  },
  "keys.resume": {
    method: "POST",
    path: "/v1/keys/:id/resume",
    params: byId,
    query: nothing,
    body: null,
    answer: keyView,
    status: 200,
    permission: "keys:manage",
    caller: "any",
    events: ["key.resumed"],
    says: "lets a suspended key work again",
  },
  "keys.revoke": {
    method: "POST",
    path: "/v1/keys/:id/revoke",
    params: byId,
    query: nothing,
    body: null,
    answer: keyView,
    status: 200,
    permission: "keys:manage",
    caller: "any",
    events: ["key.revoked"],
    says: "revokes a key permanently, and aborts its running requests",
  },
  "adminKeys.list": {
    method: "GET",
    path: "/v1/admin-keys",
    params: nothing,
    query: nothing,
    body: null,
    answer: z.object({ keys: z.array(adminKeyView) }),
    status: 200,
    permission: "admin:manage",
    caller: "any",
    events: [],
    says: "lists admin keys whose rights lie within the caller's",
  },
  "adminKeys.create": {
    method: "POST",
    path: "/v1/admin-keys",
    params: nothing,
    query: nothing,
    body: z.strictObject({
      name: displayName,
      role: z.enum(["viewer", "issuer", "provisioner", "access-reviewer", "admin"]),
      environments: z.union([z.literal("*"), nameList.min(1)]),
      /** Default: it can grant nothing. */
      mayGrant: z.union([z.literal("*"), mayGrant]).optional(),
      /** Default: 90 days, or the remaining lifetime of the issuing key. */
      ttl: duration.optional(),
    }),
    answer: issuedAdminKey,
    status: 201,
    permission: "admin:manage",
    caller: "any",
    events: ["admin_key.issued"],
    says: "creates an admin key within the caller's own right",
    example: {
      body: {
        name: "onboarding",
        role: "issuer",
        environments: ["dev"],
        mayGrant: { allow: ["infer:chat"], models: ["llama3.2"] },
        ttl: "30d",
      },
    },
  },
  "adminKeys.revoke": {
    method: "POST",
    path: "/v1/admin-keys/:id/revoke",
    params: byId,
    query: z.strictObject({
      /** `keep`: admin keys that it created remain valid. By default, they are revoked, too. */
      children: z.enum(["revoke", "keep"]).optional(),
    }),
    body: null,
    answer: adminKeyView,
    status: 200,
    permission: "admin:manage",
    caller: "any",
    events: ["admin_key.revoked"],
    says: "revokes an admin key, and the admin keys that were made with it",
  },
  "adminKeys.reset": {
    method: "POST",
    path: "/v1/admin-keys/reset",
    params: nothing,
    query: nothing,
    body: null,
    answer: issuedAdminKey,
    status: 201,
    permission: "admin:manage",
    caller: "socket",
    events: ["admin.reset", "admin_key.revoked"],
    says: "makes a new recovery admin key and revokes every other",
  },
} as const satisfies Record<string, ContractRow>;
