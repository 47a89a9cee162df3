/**
 * One statement about one user: the user after it, and what has changed. Pure. The same statement a second time changes
 * nothing, and an older one from the same sender is ignored if it would undo a newer one.
 */
import type { External, Membership, Principal, PrincipalBounds, Source } from "../access/policy.ts";
import { areNarrowed, changeGroups } from "./group-change.ts";
import type { Statement } from "./statement.ts";

export interface Applied {
  readonly person: Principal;
  readonly isLeft: boolean;
  readonly isBack: boolean;
  /** Environments in which it was stopped, or works again, though it is neither everywhere. */
  readonly leftIn: readonly string[];
  readonly backIn: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly isSignedOut: boolean;
  readonly areCredentialsRevoked: boolean;
  readonly isAtRisk: boolean;
  /** What is written down though nothing was done. */
  readonly note: string | null;
}

/** Most events remembered of one person. */
const EVENTS_MAX = 32;
const SENDERS_MAX = 8;

/** Undefined where it says nothing new. */
export function applyStatement(
  present: Principal,
  statement: Statement,
  now: number,
  environments: readonly string[] = [],
): Applied | undefined {
  const { says, source, by, at, isOnce, event, within } = statement;
  const external = present.external ?? emptyExternal(now);
  const name = `${by} ${event}`;
  if (isOnce && external.heard.events.includes(name)) return undefined;
  const times = external.heard.times.find((one) => one.by === by);
  const isFresh = (aspect: "active" | "groups"): boolean => at === null || !times || times[aspect] <= at;

  const isSwitched = says.isActive !== undefined && isFresh("active");
  const disabledBy =
    isSwitched && within === undefined ? switched(present.disabledBy, source, says) : present.disabledBy;
  const heldIn = present.bounds?.disabledIn ?? [];
  const disabledIn = isSwitched ? switchedIn(heldIn, source, says.isActive === true, within) : heldIn;
  const groups =
    says.groups && isFresh("groups") ? changeGroups(present, external, says.groups, statement, environments) : null;
  const isDisabled = disabledBy.length > 0;
  const memberships = groups?.memberships ?? present.bounds?.memberships ?? [];
  const { bounds: _bounds, ...rest } = present;
  const next: Principal = {
    ...rest,
    disabledBy,
    isDisabled,
    groups: groups?.all ?? present.groups,
    ...boundsOf(present, disabledIn, memberships),
  };
  const before = environmentsOf(heldIn);
  const after = environmentsOf(disabledIn);
  const added = next.groups.filter((group) => !present.groups.includes(group));
  const removed = present.groups.filter((group) => !next.groups.includes(group));
  const effect = {
    isLeft: disabledBy.length > present.disabledBy.length,
    isBack: disabledBy.length < present.disabledBy.length,
    leftIn: after.filter((name) => !before.includes(name)),
    backIn: before.filter((name) => !after.includes(name)),
    added,
    removed,
    isSignedOut: says.sessionsEnded === true,
    areCredentialsRevoked: says.credentialsRevoked === true,
    isAtRisk: says.risk === "high",
  };
  const note = says.note ?? (says.risk === undefined || says.risk === "high" ? null : `risk_${says.risk}`);
  const areMembershipsMoved = JSON.stringify(memberships) !== JSON.stringify(present.bounds?.memberships ?? []);
  const isNarrowed =
    effect.isLeft ||
    effect.leftIn.length > 0 ||
    areNarrowed(present, memberships) ||
    removed.length > 0 ||
    effect.isSignedOut ||
    effect.areCredentialsRevoked ||
    effect.isAtRisk;
  const isAnything = isNarrowed || effect.isBack || effect.backIn.length > 0 || areMembershipsMoved || added.length > 0;
  const isMoved = groups !== null && groups.given.join("\n") !== external.groups.join("\n");
  if (!isAnything && !isMoved && !isOnce) return undefined;
  const heard = isOnce || at !== null ? remembered(external, { by, at, name, isOnce, says }) : external.heard;
  // An administrator's word needs no directory.
  const outside: External | null =
    present.external === null && source === "admin"
      ? null
      : { ...external, groups: groups?.given ?? external.groups, heard, changedAt: now };
  return {
    ...effect,
    person: { ...next, revocations: present.revocations + (isNarrowed ? 1 : 0), external: outside },
    note: note ?? (isAnything || isMoved ? null : "nothing_new"),
  };
}

/** Each takes back its own word only. */
function switched(held: readonly Source[], source: Source, { isActive }: Statement["says"]): readonly Source[] {
  if (isActive) return held.filter((one) => one !== source);
  return held.includes(source) ? held : [...held, source];
}

/** The same for a speaker whose word is about some environments. */
function switchedIn(
  held: DisabledIn,
  source: Source,
  isActive: boolean,
  within: readonly string[] | undefined,
): DisabledIn {
  const own = held.find((one) => one.source === source)?.environments ?? [];
  const others = held.filter((one) => one.source !== source);
  const next = isActive
    ? own.filter((name) => within !== undefined && !within.includes(name))
    : [...new Set([...own, ...(within ?? [])])];
  return next.length === 0 ? others : [...others, { source, environments: next }];
}

type DisabledIn = NonNullable<PrincipalBounds["disabledIn"]>;

function environmentsOf(held: DisabledIn): string[] {
  return [...new Set(held.flatMap(({ environments }) => environments))];
}

/** Without what says nothing, so that a principal without bounds has none. */
function boundsOf(
  present: Principal,
  disabledIn: DisabledIn,
  memberships: readonly Membership[],
): Pick<Principal, "bounds"> {
  const { disabledIn: _disabled, memberships: _memberships, ...rest } = present.bounds ?? {};
  const bounds: PrincipalBounds = {
    ...rest,
    ...(disabledIn.length > 0 ? { disabledIn } : {}),
    ...(memberships.length > 0 ? { memberships } : {}),
  };
  return Object.keys(bounds).length > 0 ? { bounds } : {};
}

function remembered(
  { heard }: External,
  {
    by,
    at,
    name,
    isOnce,
    says,
  }: { by: string; at: number | null; name: string; isOnce: boolean; says: Statement["says"] },
): External["heard"] {
  const held = heard.times.find((one) => one.by === by) ?? { by, active: 0, groups: 0 };
  const time = {
    by,
    active: says.isActive === undefined ? held.active : Math.max(held.active, at ?? 0),
    groups: says.groups === undefined ? held.groups : Math.max(held.groups, at ?? 0),
  };
  const others = heard.times.filter((one) => one.by !== by);
  return {
    events: isOnce ? [...heard.events, name].slice(-EVENTS_MAX) : heard.events,
    times: at === null ? heard.times : [...others, time].slice(-SENDERS_MAX),
  };
}

export function emptyExternal(now: number): External {
  return { identities: [], scim: null, groups: [], heard: { events: [], times: [] }, changedAt: now };
}
