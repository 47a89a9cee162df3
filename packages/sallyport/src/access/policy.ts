/**
 * What policy is made of, as plain values: environments, roles, principals and assignments. These are the rows of the
 * store, the body of a policy file after parsing, and the input of `compileSnapshot()`. Nothing here decides.
 */
import type {
  AdminPermission,
  AlertAction,
  AlertKind,
  BudgetName,
  DataPermission,
  Factor,
  Priority,
  ThinkLevel,
  TrafficLeakAction,
  UpstreamKind,
} from "@sallyport/protocol";
import type { ReviewRhythm } from "../reviews/review-dates.ts";
import type { PermissionDoor } from "./door.ts";

/** Upper bounds put on the parameters of a request; absent = no bound. */
export interface Guard {
  /** Most tokens one answer may have; a larger or missing request value is lowered to it. */
  readonly outputTokens?: number;
  /** Maximum number of images and recordings in one request; more are denied. */
  readonly images?: number;
  /** The largest context (`num_ctx`) a request may set; a larger one is lowered to it. Absent = a request may set none. */
  readonly contextTokens?: number;
  /** Most messages of one request; more are denied, and so are more tools and larger schemas. */
  readonly messages?: number;
  readonly tools?: number;
  /** Largest schema of a tool or of the answer's format, in bytes. */
  readonly schemaBytes?: number;
  /** The most a request may make a model think; more is lowered to it. */
  readonly think?: ThinkLevel;
  /** Most alternatives of which a request may have the probabilities; more are lowered to it. */
  readonly topLogprobs?: number;
}

/** So much in each window. Windows of a day and more are those of the calendar. */
export interface Quota {
  /** Tokens, ms of compute time, images or bytes. */
  readonly amount: number;
  readonly windowMs: number;
}

/**
 * What a key, a user, a team, a model or an environment may use; absent = no limit. Written on a role or an environment, it
 * holds for each user: all of their keys in that environment together.
 */
export interface Limits extends Readonly<Partial<Record<BudgetName, Quota>>> {
  readonly requests?: { readonly count: number; readonly windowMs: number };
  /** Requests at the same time. */
  readonly concurrency?: number;
  /** Budgets that only notify when they are used up. */
  readonly soft?: readonly BudgetName[];
  /** Part of a scarce model server beside others, which have 1. */
  readonly weight?: number;
  /** Longest time one request may hold a slot of a model server. */
  readonly maxServiceMs?: number;
  readonly priority?: Priority;
}

/** Limits of an environment beside those of each user in it. */
export interface EnvironmentQuotas {
  /** Where calendar days begin: an IANA time zone. */
  readonly zone: string;
  /** Of all requests in the environment together. */
  readonly total: Limits;
  readonly teams: readonly { readonly name: string; readonly limits: Limits }[];
  /** Of all requests with a model that the selector matches. */
  readonly models: readonly { readonly selector: string; readonly limits: Limits }[];
}

/** One line of a role: these permissions on these models. `models: null` = the key or assignment names them. */
export interface Grant {
  readonly permissions: readonly DataPermission[];
  readonly models: readonly string[] | null;
}

export interface Role {
  readonly name: string;
  readonly grants: readonly Grant[];
  readonly limits: Limits;
  readonly guard: Guard;
  /** Where its grants may be used from (CIDR); null = anywhere. */
  readonly networks: readonly string[] | null;
  /** What its grants demand in addition to the credential. */
  readonly require: readonly Factor[];
}

/**
 * A right as it is written on a key (its scope) or in an assignment: roles and single permissions, restricted to model
 * selectors. On a key, `models: []` means no model at all; in an assignment, `models: null` keeps a role's selectors
 * (and gives none to roles that name no models).
 */
export interface RightSpec {
  readonly roles: readonly string[];
  readonly allow: readonly DataPermission[];
  readonly models: readonly string[] | null;
}

export type PrincipalKind = "person" | "service";

export interface Principal {
  readonly id: string;
  readonly kind: PrincipalKind;
  readonly name: string;
  readonly team: string | null;
  /** Given here and by directories alike; `external.groups` says which of them a directory gave. */
  readonly groups: readonly string[];
  /** True exactly while `disabledBy` is not empty. */
  readonly isDisabled: boolean;
  /** Which parties disabled it. Each can only withdraw its own decision, so a sync does not undo an administrator's. */
  readonly disabledBy: readonly Source[];
  /** Grows with each reduction from outside or by an administrator: a key whose creation began before it is denied. */
  readonly revocations: number;
  /** How directories know it; null for who is known here alone. */
  readonly external: External | null;
  /** What holds of it in some environments only; absent = nothing does. */
  readonly bounds?: PrincipalBounds;
  readonly createdAt: number;
}

/**
 * The delegation scope of the writer of a sign-in identifier or a membership, as it was then. It is checked again
 * wherever the identifier or membership is used: what has grown beyond it since does not count.
 */
export interface Voucher {
  /** Who wrote it, as recorded. */
  readonly by: string;
  readonly environments: AdminRight["environments"];
  readonly mayGrant: AdminRight["mayGrant"];
  /** The settings named the writer as the agent of this identity provider: where they still do, its word is the provider's. */
  readonly agentOf?: string;
}

export interface PrincipalBounds {
  /** Environments in which it may not act, by who says so. */
  readonly disabledIn?: readonly { readonly source: Source; readonly environments: readonly string[] }[];
  /** Of its groups, those that do not count everywhere. A group may come from several writers. */
  readonly memberships?: readonly Membership[];
  /** Who wrote the provisioned id (`external.scim.externalId`); absent = not known. */
  readonly identifier?: Voucher;
  /** Who let the person log in without a provider; absent = not known. */
  readonly localLogin?: LocalVoucher;
}

export interface Membership {
  readonly group: string;
  readonly voucher: Voucher;
}

export interface LocalVoucher extends Voucher {
  /** Since when the local log-in waits for an administrator to confirm it, epoch ms; null = it does not. */
  readonly suspendedAt: number | null;
}

/** Where what is said about people comes from. */
export type Source = "admin" | "scim" | "caep" | "logout" | "directory" | "login";

/**
 * A user as an identity provider names them: two texts that never change and are never reassigned (OpenID Connect Core
 * 2).
 */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

export interface External {
  readonly identities: readonly Identity[];
  readonly scim: ScimRecord | null;
  /** Of the principal's groups, those a directory has spoken of: they are the directory's from then on. */
  readonly groups: readonly string[];
  readonly heard: Heard;
  /** Epoch ms. */
  readonly changedAt: number;
}

/** What a provisioning client gave (RFC 7643, 4.1). */
export interface ScimRecord {
  readonly userName: string;
  readonly externalId: string | null;
  readonly displayName: string | null;
  readonly emails: readonly ScimEmail[];
  /** Deleted there; kept here because audit records refer to it, and shown to no client. */
  readonly isDeleted: boolean;
}

export interface ScimEmail {
  readonly value: string;
  readonly type: string | null;
  readonly isPrimary: boolean;
}

/** What was heard about a person, so that a statement counts once and an older one does not undo a newer. */
export interface Heard {
  /** Ids of the last events, with who sent them. */
  readonly events: readonly string[];
  /** By sender: the time of the newest statement about activity and about groups, epoch ms. */
  readonly times: readonly { readonly by: string; readonly active: number; readonly groups: number }[];
}

/** A group as a provisioning client made it; its name is what policy assigns to. Who is in it stands with the people. */
export interface DirectoryGroup {
  readonly id: string;
  readonly name: string;
  readonly externalId: string | null;
  readonly createdAt: number;
  readonly changedAt: number;
  /** Which client made it; absent = not known. */
  readonly writer?: Voucher;
}

/** A right given to a principal or to everyone in a group, in one environment. */
export interface Assignment {
  readonly id: string;
  readonly subject: { readonly principal: string } | { readonly group: string };
  readonly environment: string;
  readonly right: RightSpec;
  /** `policy` = written in the policy file and managed by `apply`; `admin` = made by an administrator or with a key. */
  readonly source: "policy" | "admin";
}

export interface UpstreamSpec {
  /** Unique in its environment; `u1`, `u2`… when the policy file names none. */
  readonly id: string;
  /** `http://host:port` or `https://host:port`, no path. */
  readonly url: string;
  /** Absent = `ollama`. */
  readonly kind?: UpstreamKind;
  /** Requests run at the same time per model; absent = no bound of ours. */
  readonly concurrency?: number;
  /** This server is also another environment's, and both say so. */
  readonly isShared?: boolean;
  /** Short form of `timeouts.firstByteMs` and `timeouts.silenceMs`, in ms. */
  readonly timeoutMs?: number;
  readonly timeouts?: UpstreamTimeouts;
}

/** Timeouts of one call, in ms; missing ones have their defaults (`dataplane/upstream/bounds.ts`). */
export interface UpstreamTimeouts {
  /** Until a connection is made. */
  readonly connectMs?: number;
  /** Until a streamed answer begins: loading the model is part of it. */
  readonly firstByteMs?: number;
  /** Between two pieces of an answer. */
  readonly silenceMs?: number;
  /** Of the whole answer, and of the wait for one that comes in one piece. */
  readonly answerMs?: number;
}

/** How long requests wait for a slot of a model, and how many. */
export interface QueuePolicy {
  readonly waitMs: number;
  readonly lengthMax: number;
}

/** The lifecycle of keys: rotation, age and inactivity. Lengths in ms; 0 = never, except for `overlapMs`. */
export interface KeyLife {
  /** How long the old secret works after the first use of the new one, unless the rotation says otherwise. */
  readonly overlapMs: number;
  /** From the start of a rotation: the overlap is over and a new secret that was never used is gone. */
  readonly overlapMaxMs: number;
  /** An old secret unused for so long, while the new one is used, ends. */
  readonly quietMs: number;
  /** How long after its expiry a key may still rotate itself. */
  readonly rotateWithinMs: number;
  /** When before expiry notice is given, longest first; the first one also begins the headers. */
  readonly noticesMs: readonly number[];
  /** From this long before expiry, short denials warn clients that do not read headers. */
  readonly brownoutMs: number;
  /** A key that was never used is suspended. */
  readonly neverUsedMs: number;
  /** Unused: a notice, suspension, the end. */
  readonly unusedNoticeMs: number;
  readonly idleMs: number;
  readonly destroyMs: number;
  /** A key whose owner is gone or disabled for so long is suspended. */
  readonly orphanMs: number;
}

export interface TokenPolicy {
  /** How long a token usually lives, ms; the sum that follows the risk begins here (`tokens/lifetime.ts`). */
  readonly ttlMs: number;
  /** Keys are good for nothing but being exchanged. */
  readonly isOnly: boolean;
}

/** What becomes of a key when something happens to its owner, gravest first. `signature`: each request must be signed from then on. */
export type Fate = "revoke" | "suspend" | "signature" | "keep";

/**
 * Permissions shrink by themselves; this is what happens to the keys in addition, so that a permission that returns
 * revives none.
 */
export interface KeyFate {
  /** The owner was deactivated, by whomever. */
  readonly onLeave: Exclude<Fate, "signature">;
  /** The owner lost a role or permission that the key makes use of. */
  readonly onRoleLost: Exclude<Fate, "signature">;
  /** The owner was signed out everywhere. */
  readonly onSignOut: Exclude<Fate, "signature">;
  /** The identity provider says the owner is at high risk. */
  readonly onRisk: Fate;
}

/** What is done about unusual use of keys. Never more than a notice without a fact or two independent signals. */
export interface AnomalyPolicy {
  /** Alerts a key and 30 days that likelihoods may make. */
  readonly budget: number;
  readonly actions: Readonly<Partial<Record<AlertKind, AlertAction>>> & { readonly default: AlertAction };
  /** How long an automatic action lasts, ms. */
  readonly forMs: number;
}

/** What is done about keys that requests and responses contain. */
export interface LeakPolicy {
  readonly traffic: TrafficLeakAction;
}

export interface Environment {
  readonly name: string;
  readonly upstreams: readonly UpstreamSpec[];
  readonly queue: QueuePolicy;
  /** A client that takes nothing of what was sent to it for so long is disconnected, ms. */
  readonly readerStallMs: number;
  /** Longest life of a key, ms. At most 90 days. */
  readonly keyMaxAgeMs: number;
  readonly keyLife: KeyLife;
  readonly keyFate: KeyFate;
  readonly cloud: "deny" | "allow";
  /** Registry hosts that pull, push and create.from may name. */
  readonly registries: readonly string[];
  /** Longest keep_alive without `runtime:pin`, seconds. */
  readonly keepAliveMaxSeconds: number;
  readonly limits: Limits;
  /** Absent = none. */
  readonly quotas?: EnvironmentQuotas;
  /** Access reviews that start by themselves; absent = none. */
  readonly reviews?: readonly ReviewRhythm[];
  readonly guard: Guard;
  /** Where its keys may be used from (CIDR); null = anywhere. */
  readonly networks: readonly string[] | null;
  /** What each request demands in addition to the credential. */
  readonly require: readonly Factor[];
  /** What some permissions demand beyond that. */
  readonly requireFor: readonly PermissionDoor[];
  /** Whether keys may have a URL token, for clients that cannot send headers. */
  readonly pathSecrets: "deny" | "allow";
  readonly tokens: TokenPolicy;
  readonly anomalies: AnomalyPolicy;
  /** Absent = keys in traffic are recorded and notified. */
  readonly leaks?: LeakPolicy;
  /** What happens to inference while the audit log cannot be written: denied, or served and recorded as a gap. */
  readonly inferenceRecording: "fail_closed" | "fail_open_with_gap_record";
}

/** By the name of an identity provider: the environments in which the word of its provisioning agent is its own. */
export type Agents = ReadonlyMap<string, AdminRight["environments"]>;

/** Everything `compileSnapshot()` needs; `epoch` grows by one with each change. */
export interface PolicyState {
  readonly epoch: number;
  readonly environments: readonly Environment[];
  readonly roles: readonly Role[];
  readonly principals: readonly Principal[];
  readonly assignments: readonly Assignment[];
  /** Default: none. */
  readonly groups?: readonly DirectoryGroup[];
}

/** What an admin key may do, and what it may give: two different things. `"*"` = without bound. */
export interface AdminRight {
  readonly permissions: readonly AdminPermission[];
  readonly environments: readonly string[] | "*";
  /** Rights it may put into keys, roles and assignments. `null` = it may grant nothing. */
  readonly mayGrant: MayGrant | "*" | null;
}

/** The delegation scope: what an administrator may hand out. */
export interface MayGrant {
  readonly allow: readonly DataPermission[];
  readonly models: readonly string[];
  /** What is handed out must be bound at least so tightly; absent = any limit will do. */
  readonly limits?: Limits;
  readonly guard?: Guard;
}

export const KEY_AGE_MAX_MS = 90 * 86_400_000;
