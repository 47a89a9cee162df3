/** What the admin API returns: the public views of keys, principals, assignments and policy. No secret has a field here. */
import { boundaryGrant } from "./rightsizing-rows.ts";
import { z } from "zod";
import { upstreamKinds } from "@sallyport/protocol";
import { limits, limitsView } from "./limits.ts";
import { guard, time } from "./scalars.ts";

const names = z.array(z.string());

/** Access conditions in addition to the credential. `networks: null` = from anywhere. */
const doorView = { networks: names.nullable(), require: names };

/** A public key whose signatures count as the key's. */
export const signerView = z.object({
  id: z.string(),
  use: z.enum(["request", "ollama"]),
  algorithm: z.string(),
  createdAt: time,
});

/** A workload that can act as the key with tokens of its issuer. */
export const workloadView = z.object({
  id: z.string(),
  issuer: z.string(),
  audience: z.string(),
  claims: z.record(z.string(), z.string()),
  hasOwnKeys: z.boolean(),
  createdAt: time,
});

export const keyView = z.object({
  id: z.string(),
  environment: z.string(),
  name: z.string(),
  /** Principal id. */
  owner: z.string().nullable(),
  state: z.enum(["active", "suspended", "revoked"]),
  /** Why it is suspended or revoked, as a code. */
  reason: z.string().nullable(),
  isExpired: z.boolean(),
  roles: names,
  allow: names,
  models: names,
  limits: limitsView,
  createdAt: time,
  expiresAt: time.nullable(),
  createdBy: z.string(),
  ...doorView,
  /** `first_use`: the network of the first use becomes its only one. */
  binding: z.enum(["first_use"]).nullable(),
  signers: z.array(signerView),
  hasPathSecret: z.boolean(),
  workloads: z.array(workloadView),
  /** A canary key: visible to administrators only. */
  isDecoy: z.boolean(),
});

/** A key as a list shows it. An older gateway does not send what has a default here. */
export const listedKey = keyView.extend({
  ownerName: z.string().nullable().default(null),
  lastUsedAt: time.nullable().default(null),
  /** A secret that was replaced was used after the new one was made: some client still has the old one. */
  isOnOldSecret: z.boolean().default(false),
  /** Admitted requests of the last 30 days. */
  recentRequests: z.number().default(0),
  /** The same day by day (UTC), today last. */
  recentDays: z.array(z.number()).default([]),
});

/** One key in full: its secrets, and which instances use each while it rotates. */
export const keyInFull = keyView.extend({
  lastUsedAt: time.nullable(),
  /** A replaced secret has been used: a client was forgotten, or the secret was stolen. The next rotation clears this. */
  isFrozen: z.boolean(),
  /** What right-sizing leaves of the scope; null = all of it. An older gateway does not send it. */
  boundary: z.array(boundaryGrant).nullable().default(null),
  secrets: z.array(
    z.object({
      generation: z.number(),
      state: z.enum(["pending", "active", "overlapping", "destroyed"]),
      createdAt: time,
      expiresAt: time.nullable(),
      endsAt: time.nullable(),
      lastUsedAt: time.nullable(),
      instances: z.array(z.object({ address: z.string(), agent: z.string(), usedAt: time })),
    }),
  ),
});

export const rotatedKey = z.object({
  id: z.string(),
  /** Absent if it is delivered by a link. */
  key: z.string().optional(),
  ticket: z.string().optional(),
  ticketExpiresAt: time.optional(),
  environment: z.string(),
  expiresAt: time,
  /** The latest: it ends as long after the first use of the new secret as the grace says. */
  overlapEndsAt: time,
});

export const keyFindingView = z.object({
  keyId: z.string(),
  environment: z.string(),
  code: z.enum(["key_expiring", "key_expired", "key_never_used", "key_unused", "key_orphaned", "rotation_over"]),
  action: z.enum(["notice", "suspend", "revoke", "end_overlap"]),
  dueAt: time,
});

export const mayGrantView = z.union([
  z.literal("*"),
  z.object({ allow: names, models: names, limits: limits.optional(), guard: guard.optional() }),
  z.null(),
]);

export const adminKeyView = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(["active", "suspended", "revoked"]),
  isExpired: z.boolean(),
  permissions: names,
  environments: z.union([z.literal("*"), names]),
  mayGrant: mayGrantView,
  createdAt: time,
  /** Null for the recovery key alone. */
  expiresAt: time.nullable(),
  createdBy: z.string(),
});

/** With `rotatedKey` the only answers that hold a key's text, and they hold it once. */
export const issuedKey = z.object({
  id: z.string(),
  /** Absent if it is delivered by a link. */
  key: z.string().optional(),
  ticket: z.string().optional(),
  ticketExpiresAt: time.optional(),
  environment: z.string(),
  expiresAt: time,
  name: z.string(),
  owner: z.string(),
});
export const issuedAdminKey = z.object({
  id: z.string(),
  key: z.string(),
  name: z.string(),
  expiresAt: time.nullable(),
});

export const principalView = z.object({
  id: z.string(),
  kind: z.enum(["person", "service"]),
  name: z.string(),
  team: z.string().nullable(),
  groups: names,
  isDisabled: z.boolean(),
  /** Who says so: `admin`, `scim`, `caep`, `directory`; all must take it back. */
  disabledBy: names,
  /** As a provisioning client and identity providers know the person. */
  userName: z.string().nullable(),
  externalId: z.string().nullable(),
  identities: z.array(z.object({ issuer: z.string(), subject: z.string() })),
  /** Whether the person logs in here without a provider. */
  localLogin: z.enum(["none", "invited", "enrolled", "suspended"]),
  /** Environments in which it may not act though it may elsewhere. */
  disabledIn: names.optional(),
  createdAt: time,
});

/** Said once: `code` can never be read again. */
export const invitationView = z.object({
  principal: z.string(),
  name: z.string(),
  code: z.string(),
  /** Where it is entered; null where the gateway's address is not known. */
  page: z.string().nullable(),
  expiresAt: time,
});

export const assignmentView = z.object({
  id: z.string(),
  subject: z.union([z.object({ principal: z.string() }), z.object({ group: z.string() })]),
  environment: z.string(),
  roles: names,
  allow: names,
  /** Null = the role's own selectors. */
  models: names.nullable(),
  source: z.enum(["policy", "admin"]),
});

export type LimitsView = z.output<typeof limitsView>;
/** Limits beside those of each user: of all together, of teams and of models. */
const quotasView = z.object({
  zone: z.string(),
  total: limitsView,
  teams: z.record(z.string(), limitsView),
  models: z.record(z.string(), limitsView),
});
export const roleView = z.object({
  name: z.string(),
  isBuiltIn: z.boolean(),
  /** `on: null` = the key's or assignment's selectors name the models. */
  allow: z.array(z.object({ do: names, on: names.nullable() })),
  limits: limitsView,
  guard,
  ...doorView,
});

export const upstreamView = z.object({
  environment: z.string(),
  id: z.string(),
  url: z.string(),
  /** Absent = `ollama`. */
  kind: z.enum(upstreamKinds).optional(),
  concurrency: z.number().optional(),
  timeoutMs: z.number().optional(),
  timeouts: z
    .object({
      connectMs: z.number().optional(),
      firstByteMs: z.number().optional(),
      silenceMs: z.number().optional(),
      answerMs: z.number().optional(),
    })
    .optional(),
  /** It is another environment's, too. */
  isShared: z.boolean().optional(),
});

/** With what administrators decided about it. */
export const upstreamStateView = upstreamView.extend({
  isDrained: z.boolean(),
  /** The credential itself is never shown. */
  hasCredential: z.boolean(),
  /** The server's certificate must come from a stored authority. */
  hasOwnCa: z.boolean(),
  /** The gateway shows the server a certificate. */
  hasClientCertificate: z.boolean(),
  /** Requests it works on now; null where no server runs. */
  running: z.number().nullable(),
});

export const environmentView = z.object({
  name: z.string(),
  upstreams: z.array(upstreamView),
  keyMaxAge: z.string(),
  keyLife: z.object({
    overlap: z.string(),
    overlapMax: z.string(),
    quiet: z.string(),
    rotateWithin: z.string(),
    notices: names,
    brownout: z.string(),
    neverUsed: z.string(),
    unusedNotice: z.string(),
    idle: z.string(),
    destroy: z.string(),
    orphan: z.string(),
  }),
  /** What becomes of keys when their owner changes. */
  keyFate: z.object({ onLeave: z.string(), onRoleLost: z.string(), onSignOut: z.string(), onRisk: z.string() }),
  cloud: z.enum(["deny", "allow"]),
  registries: names,
  keepAliveMax: z.string(),
  /** How long requests wait for a slot, and how many. */
  queue: z.object({ wait: z.string(), length: z.number() }),
  readerStall: z.string(),
  /** Of each user: all of their keys in the environment together. */
  limits: limitsView,
  quotas: quotasView.optional(),
  /** Access reviews that start by themselves. */
  reviews: z
    .array(
      z.object({
        every: z.enum(["quarterly", "monthly"]),
        scope: z.enum(["all", "privileged"]),
        due: z.string(),
        reviewers: names,
      }),
    )
    .optional(),
  guard,
  ...doorView,
  requireFor: z.array(z.object({ do: names, need: names })),
  pathSecrets: z.enum(["deny", "allow"]),
  inferenceRecording: z.enum(["fail_closed", "fail_open_with_gap_record"]),
  tokens: z.object({ ttl: z.string(), only: z.boolean() }),
  /** What is done about unusual use of keys. */
  anomalies: z.object({ budget: z.number(), actions: z.record(z.string(), z.string()), for: z.string() }),
});

export const auditRecordView = z.object({
  seq: z.number(),
  at: time,
  environment: z.string(),
  type: z.string(),
  actor: z.string(),
  fields: z.record(z.string(), z.unknown()),
});

export const verdictView = z.object({
  ok: z.boolean(),
  records: z.number(),
  firstDamage: z.object({ seq: z.number(), file: z.string(), reason: z.string() }).optional(),
  unvouched: z.array(z.object({ after: z.number(), from: time, to: time, reason: z.string() })),
  cannotShow: names,
});

export type KeyView = z.output<typeof keyView>;
export type ListedKey = z.output<typeof listedKey>;
export type KeyInFull = z.output<typeof keyInFull>;
export type AdminKeyView = z.output<typeof adminKeyView>;
export type PrincipalView = z.output<typeof principalView>;
export type AssignmentView = z.output<typeof assignmentView>;
export type RoleView = z.output<typeof roleView>;
export type UpstreamStateView = z.output<typeof upstreamStateView>;
export type UpstreamView = z.output<typeof upstreamView>;
export type EnvironmentView = z.output<typeof environmentView>;
export type AuditRecordView = z.output<typeof auditRecordView>;
