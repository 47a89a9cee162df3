/**
 * Whether a change opens something wider than before: the one judgement behind every route. A sentence a dimension; no
 * sentence = the change only takes away, or changes nothing that is asked. What is not known to be as narrow counts as
 * wider. Pure.
 */
import { appliedBoundary } from "./rightsizing/rightsizing.ts";
import type { Rightsizing } from "./rightsizing/rightsizing.ts";
import { alertActions, coversSelector, parseSelector, trafficLeakActions } from "@sallyport/protocol";
import type { LocalLogin } from "../identity/local/local-login.ts";
import { isNetworkWithin } from "../kernel/network-list.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { Restriction } from "../keys/restriction.ts";
import { environmentDefaults, LEAKED_DEFAULT } from "./default-environment.ts";
import { isDisabledIn } from "./holding.ts";
import { looserGuards } from "./guard-bounds.ts";
import { looserLimits } from "./limit-bounds.ts";
import { KEY_AGE_MAX_MS } from "./policy.ts";
import type {
  Assignment,
  Environment,
  EnvironmentQuotas,
  Fate,
  Grant,
  Guard,
  KeyLife,
  Limits,
  Principal,
  RightSpec,
  Role,
} from "./policy.ts";

/** Something that is changed, as it is before or after the change. */
export type Changed =
  | { readonly kind: "environment"; readonly of: Environment }
  | { readonly kind: "role"; readonly of: Role }
  | { readonly kind: "assignment"; readonly of: Assignment }
  | { readonly kind: "principal"; readonly of: Principal }
  | { readonly kind: "key"; readonly of: KeyRecord }
  | { readonly kind: "localLogin"; readonly of: LocalLogin }
  | { readonly kind: "restriction"; readonly of: Restriction }
  | { readonly kind: "rightsizing"; readonly of: Rightsizing };

/** Null = it did not exist before, or no longer exists after. Both are of one kind. */
export function widens(before: Changed | null, after: Changed | null): readonly string[] {
  // What restrains goes: that opens what it restrained.
  if (after === null) return before?.kind === "restriction" ? ["a restriction of the key ends"] : [];
  switch (after.kind) {
    case "environment":
      return environmentWidens(before?.kind === "environment" ? before.of : newEnvironment(after.of), after.of);
    case "role":
      return roleWidens(before?.kind === "role" ? before.of : null, after.of);
    case "assignment":
      return assignmentWidens(before?.kind === "assignment" ? before.of : null, after.of);
    case "principal":
      return principalWidens(before?.kind === "principal" ? before.of : null, after.of);
    case "key":
      return keyWidens(before?.kind === "key" ? before.of : null, after.of);
    case "localLogin":
      return localLoginWidens(before?.kind === "localLogin" ? before.of : null, after.of);
    case "restriction":
      return [];
    case "rightsizing":
      return rightsizingWidens(before?.kind === "rightsizing" ? before.of : null, after.of);
  }
}

/** What holds is the boundary of one that is applied. Any other boundary than that one counts as wider. */
function rightsizingWidens(old: Rightsizing | null, next: Rightsizing): string[] {
  const [before, after] = [appliedBoundary(old), appliedBoundary(next)];
  if (before === null || JSON.stringify(before) === JSON.stringify(after)) return [];
  return [after === null ? "the right-sizing of the key ends" : "the key is right-sized to something else"];
}

type Dimension = readonly [isWider: boolean, says: string];

function wider(dimensions: readonly Dimension[]): string[] {
  return dimensions.filter(([isWider]) => isWider).map(([, says]) => says);
}

/** A new environment is judged against what an environment is that says nothing. */
function newEnvironment({ name, upstreams }: Environment): Environment {
  return { ...environmentDefaults, name, upstreams, keyMaxAgeMs: KEY_AGE_MAX_MS };
}

function environmentWidens(old: Environment, next: Environment): string[] {
  const servers = new Set(old.upstreams.map(({ url }) => url));
  return wider([
    [next.upstreams.some(({ url }) => !servers.has(url)), "upstreams: another model server"],
    [next.upstreams.some((one) => isOtherKind(old, one)), "upstreams: another kind of server"],
    [next.upstreams.some((one) => isUpstreamLooser(old, one)), "upstreams: a higher or no concurrency, or sharing"],
    [next.keyMaxAgeMs > old.keyMaxAgeMs, "keys.maxAge: longer"],
    ...keyLifeDimensions(old.keyLife, next.keyLife),
    ...(Object.keys(old.keyFate) as (keyof Environment["keyFate"])[]).map((name): Dimension => [
      FATES.indexOf(next.keyFate[name]) < FATES.indexOf(old.keyFate[name]),
      `keys.${name}: milder`,
    ]),
    [next.cloud === "allow" && old.cloud !== "allow", "cloud: allowed"],
    [next.registries.some((host) => !old.registries.includes(host)), "registries: another one"],
    [next.keepAliveMaxSeconds > old.keepAliveMaxSeconds, "keepAliveMax: longer"],
    ...boundDimensions(old, next),
    ...accessDimensions(old, next),
    [
      old.requireFor.some(({ permissions, require }) =>
        permissions.some((permission) =>
          require.some((factor) => !demandsOf(next, permission).includes(factor) && !next.require.includes(factor)),
        ),
      ),
      "requireFor: less is demanded",
    ],
    [next.pathSecrets === "allow" && old.pathSecrets !== "allow", "pathSecrets: allowed"],
    [next.tokens.ttlMs > old.tokens.ttlMs, "tokens.ttl: longer"],
    [old.tokens.isOnly && !next.tokens.isOnly, "tokens.only: lifted"],
    [areAlertsMilder(old.anomalies, next.anomalies), "anomalies: less is noticed or done"],
    [trafficGravity(next) < trafficGravity(old), "leaks.traffic: less is done about keys in traffic"],
    [
      next.inferenceRecording === "fail_open_with_gap_record" && old.inferenceRecording === "fail_closed",
      "inferenceRecording: requests without a record",
    ],
    [areReviewsFewer(old.reviews, next.reviews), "reviews: fewer, or others"],
    ...quotaDimensions(old.quotas, next.quotas),
    [next.queue.waitMs > old.queue.waitMs, "queue.wait: longer"],
    [next.queue.lengthMax > old.queue.lengthMax, "queue.length: more"],
    [next.readerStallMs > old.readerStallMs, "readerStall: longer"],
  ]);
}

/** Rights that no one reviews stay. Other reviewers or another time are not known to be as strict. */
function areReviewsFewer(old: Environment["reviews"] = [], next: Environment["reviews"] = []): boolean {
  const kept = new Set(next.map((one) => JSON.stringify(one)));
  return old.some((one) => !kept.has(JSON.stringify(one)));
}

/** A team or model that is no longer named is bound by nothing. */
function quotaDimensions(old: EnvironmentQuotas | undefined, next: EnvironmentQuotas | undefined): Dimension[] {
  const looser = (where: string, before: Limits, after: Limits): Dimension[] =>
    looserLimits(before, after).map((says): Dimension => [true, `${where}.${says}`]);
  const teams = new Map(next?.teams.map(({ name, limits }) => [name, limits]));
  const models = new Map(next?.models.map(({ selector, limits }) => [selector, limits]));
  return [
    ...looser("total", old?.total ?? {}, next?.total ?? {}),
    ...(old?.teams ?? []).flatMap(({ name, limits }) => looser(`teams.${name}`, limits, teams.get(name) ?? {})),
    ...(old?.models ?? []).flatMap(({ selector, limits }) =>
      looser(`models.${selector}`, limits, models.get(selector) ?? {}),
    ),
    // What is named now: a weight of more than 1 takes from the others.
    ...(next?.teams ?? [])
      .filter(({ name, limits }) => (limits.weight ?? 1) > 1 && !old?.teams.some((one) => one.name === name))
      .map(({ name }): Dimension => [true, `teams.${name}.limits.weight: more`]),
  ];
}

const FATES: readonly Fate[] = ["keep", "signature", "suspend", "revoke"];

function demandsOf({ requireFor }: Environment, permission: string): readonly string[] {
  return requireFor
    .filter(({ permissions }) => permissions.some((one) => one === permission))
    .flatMap((row) => row.require);
}

function isUpstreamLooser({ upstreams }: Environment, next: Environment["upstreams"][number]): boolean {
  const old = upstreams.find(({ url }) => url === next.url);
  if (!old) return false;
  return isBoundLooser(old.concurrency, next.concurrency) || (next.isShared === true && old.isShared !== true);
}

/** What the gateway sends to a model server and reads from it depends on its kind: no kind is narrower than another. */
function isOtherKind({ upstreams }: Environment, next: Environment["upstreams"][number]): boolean {
  return upstreams.some(({ url, kind = "ollama" }) => url === next.url && kind !== (next.kind ?? "ollama"));
}

/** Lengths for which longer is wider; 0 = never, which is the longest. */
const LENGTHS = [
  "quietMs",
  "rotateWithinMs",
  "neverUsedMs",
  "unusedNoticeMs",
  "idleMs",
  "destroyMs",
  "orphanMs",
] as const;

function keyLifeDimensions(old: KeyLife, next: KeyLife): Dimension[] {
  const length = (name: string, ms: number): number => (ms === 0 && name !== "rotateWithinMs" ? Infinity : ms);
  return [
    [next.overlapMs > old.overlapMs, "keys.overlap: longer"],
    [next.overlapMaxMs > old.overlapMaxMs, "keys.overlapMax: longer"],
    ...LENGTHS.map((name): Dimension => [
      length(name, next[name]) > length(name, old[name]),
      `keys.${name.slice(0, -2)}: longer`,
    ]),
    [next.brownoutMs < old.brownoutMs, "keys.brownout: shorter"],
    [old.noticesMs.some((ms) => !next.noticesMs.includes(ms)), "keys.notices: fewer"],
  ];
}

function trafficGravity({ leaks }: Environment): number {
  return trafficLeakActions.indexOf(leaks?.traffic ?? "notify");
}

function areAlertsMilder(old: Environment["anomalies"], next: Environment["anomalies"]): boolean {
  const kinds = new Set([...Object.keys(old.actions), ...Object.keys(next.actions)]) as Set<keyof typeof old.actions>;
  const gravity = (of: Environment["anomalies"], kind: keyof typeof old.actions): number =>
    alertActions.indexOf(of.actions[kind] ?? (kind === "key_leaked" ? LEAKED_DEFAULT : of.actions.default));
  return (
    next.budget < old.budget ||
    next.forMs < old.forMs ||
    [...kinds].some((kind) => gravity(next, kind) < gravity(old, kind))
  );
}

type Bound = { readonly limits: Limits; readonly guard?: Guard };

function boundDimensions(old: Bound, next: Bound): Dimension[] {
  return [
    ...looserLimits(old.limits, next.limits).map((says): Dimension => [true, says]),
    ...looserGuards(old.guard, next.guard).map((says): Dimension => [true, says]),
  ];
}

/** Undefined = no bound. */
function isBoundLooser(old: number | undefined, next: number | undefined): boolean {
  return (next ?? Infinity) > (old ?? Infinity);
}

type Access = { readonly networks: readonly string[] | null; readonly require: readonly string[] };

function accessDimensions(old: Access, next: Access): Dimension[] {
  return [
    [areNetworksWider(old.networks, next.networks), "networks: from elsewhere"],
    [old.require.some((factor) => !next.require.includes(factor)), "require: less is demanded"],
  ];
}

function areNetworksWider(old: readonly string[] | null, next: readonly string[] | null): boolean {
  if (old === null) return false;
  return next === null || next.some((network) => !old.some((wide) => isNetworkWithin(network, wide)));
}

function roleWidens(old: Role | null, next: Role): string[] {
  if (!old) return next.grants.length > 0 ? ["a new role"] : [];
  return wider([
    [next.grants.some((grant) => !isGrantWithin(grant, old.grants)), "allow: more"],
    ...boundDimensions(old, next),
    ...accessDimensions(old, next),
  ]);
}

function isGrantWithin(grant: Grant, old: readonly Grant[]): boolean {
  return grant.permissions.every((permission) =>
    old.some((wide) => wide.permissions.includes(permission) && areModelsWithin(grant.models, wide.models)),
  );
}

/** Null = whatever the key or assignment names. */
function areModelsWithin(narrow: readonly string[] | null, wide: readonly string[] | null): boolean {
  if (wide === null) return true;
  return narrow !== null && narrow.every((text) => wide.some((other) => isSelectorWithin(text, other)));
}

function isSelectorWithin(narrow: string, wide: string): boolean {
  const [inner, outer] = [parseSelector(narrow), parseSelector(wide)];
  return inner !== undefined && outer !== undefined && coversSelector(outer, inner);
}

function assignmentWidens(old: Assignment | null, next: Assignment): string[] {
  const isSamePlace =
    old !== null &&
    old.environment === next.environment &&
    JSON.stringify(old.subject) === JSON.stringify(next.subject);
  return isSamePlace && isRightWithin(next.right, old.right) ? [] : ["a right is assigned"];
}

function isRightWithin(next: RightSpec, old: RightSpec): boolean {
  // Without selectors a role's own stand, and single permissions have none: only the same is known to be as narrow.
  const areModels = old.models === null ? next.models === null : areModelsWithin(next.models, old.models);
  return (
    next.roles.every((role) => old.roles.includes(role)) &&
    next.allow.every((permission) => old.allow.includes(permission)) &&
    areModels
  );
}

function principalWidens(old: Principal | null, next: Principal): string[] {
  if (!old) return next.groups.length > 0 ? ["groups: a new principal is in some"] : [];
  const stoppedIn = (of: Principal): string[] =>
    of.bounds?.disabledIn?.flatMap(({ environments }) => environments) ?? [];
  return wider([
    [old.isDisabled && !next.isDisabled, "it is enabled"],
    [stoppedIn(old).some((environment) => !isDisabledIn(next, environment)), "it is enabled in an environment"],
    [next.groups.some((group) => !old.groups.includes(group)), "groups: another one"],
    [
      next.groups.some((group) => placesOf(next, group) !== placesOf(old, group)),
      "groups: a membership counts elsewhere",
    ],
    [
      JSON.stringify(old.bounds?.localLogin) !== JSON.stringify(next.bounds?.localLogin) &&
        !next.bounds?.localLogin?.suspendedAt,
      "a local log-in has another maker",
    ],
  ]);
}

function placesOf({ bounds }: Principal, group: string): string {
  return JSON.stringify(bounds?.memberships?.filter((one) => one.group === group) ?? []);
}

function keyWidens(old: KeyRecord | null, next: KeyRecord): string[] {
  if (!old) return ["a key is issued"];
  return wider([
    [old.state !== "active" && next.state === "active", "the key works again"],
    ...accessDimensions(old, next),
    [old.binding !== null && next.binding === null, "binding: lifted"],
    [hasNew(old.signers, next.signers), "signers: another one"],
    [hasNew(old.workloads, next.workloads), "workloads: another one"],
    [next.pathSecret !== null && next.pathSecret !== old.pathSecret, "a secret for paths"],
    [next.secrets.some((secret) => isSecretWider(old, secret)), "a new or longer-lived secret"],
    [old.frozenAt !== null && next.frozenAt === null, "it may rotate itself again"],
    ...boundDimensions(old, next),
    [!isAdminWithin(next, old), "more administration"],
    [isScopeWider(old.ceiling, next.ceiling), "another key scope"],
  ]);
}

function isScopeWider(old: RightSpec, next: RightSpec): boolean {
  return JSON.stringify(old) !== JSON.stringify(next) && !isRightWithin(next, old);
}

/** Fewer environments, or the same right. */
function isAdminWithin({ admin: next }: KeyRecord, { admin: old }: KeyRecord): boolean {
  if (next === null || old === null) return next === old;
  const isPlace =
    old.environments === "*" ||
    (next.environments !== "*" && next.environments.every((name) => old.environments.includes(name)));
  const rest = ({ permissions, mayGrant }: typeof old): string => JSON.stringify([permissions, mayGrant]);
  return isPlace && rest(next) === rest(old);
}

function hasNew(old: readonly { readonly id: string }[], next: readonly { readonly id: string }[]): boolean {
  return next.some(({ id }) => !old.some((one) => one.id === id));
}

function isSecretWider(old: KeyRecord, { generation, state, expiresAt }: KeyRecord["secrets"][number]): boolean {
  const before = old.secrets.find((one) => one.generation === generation);
  if (!before) return state !== "destroyed";
  return (
    (expiresAt ?? Infinity) > (before.expiresAt ?? Infinity) || (before.state === "destroyed" && state !== "destroyed")
  );
}

function localLoginWidens(old: LocalLogin | null, next: LocalLogin): string[] {
  const isInvited = next.invitation !== null && next.invitation.hash !== old?.invitation?.hash;
  return isInvited || (next.sealed !== null && next.sealed !== old?.sealed) ? ["a person may log in locally"] : [];
}
