/**
 * One statement on one person: what he is after it, and what has happened to him. Pure. The same statement a second time
 * finds nothing to do, and an older one of the same sender is not listened to where it would undo a newer.
 */
import type { External, Principal, Source } from "../access/policy.ts";
import type { GroupChange, Statement } from "./statement.ts";

export interface Applied {
  readonly person: Principal;
  readonly isLeft: boolean;
  readonly isBack: boolean;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly isSignedOut: boolean;
  readonly areCredentialsRevoked: boolean;
  readonly isAtRisk: boolean;
  /** What is written down though nothing was done. */
  readonly note: string | null;
}

/** Most events remembered of one person, and most groups he may be in. */
const EVENTS_MAX = 32;
const SENDERS_MAX = 8;
export const GROUPS_MAX = 256;

/** Undefined where it says nothing new. */
export function applyStatement(present: Principal, statement: Statement, now: number): Applied | undefined {
  const { says, source, by, at, isOnce, event } = statement;
  const external = present.external ?? emptyExternal(now);
  const name = `${by} ${event}`;
  if (isOnce && external.heard.events.includes(name)) return undefined;
  const times = external.heard.times.find((one) => one.by === by);
  const isFresh = (aspect: "active" | "groups"): boolean => at === null || !times || times[aspect] <= at;

  const disabledBy =
    says.isActive === undefined || !isFresh("active") ? present.disabledBy : switched(present.disabledBy, source, says);
  const groups = says.groups && isFresh("groups") ? changedGroups(present, external, says.groups) : null;
  const isDisabled = disabledBy.length > 0;
  const next: Principal = { ...present, disabledBy, isDisabled, groups: groups?.all ?? present.groups };
  const added = next.groups.filter((group) => !present.groups.includes(group));
  const removed = present.groups.filter((group) => !next.groups.includes(group));
  const effect = {
    isLeft: disabledBy.length > present.disabledBy.length,
    isBack: disabledBy.length < present.disabledBy.length,
    added,
    removed,
    isSignedOut: says.sessionsEnded === true,
    areCredentialsRevoked: says.credentialsRevoked === true,
    isAtRisk: says.risk === "high",
  };
  const note = says.note ?? (says.risk === undefined || says.risk === "high" ? null : `risk_${says.risk}`);
  const isNarrowed =
    effect.isLeft || removed.length > 0 || effect.isSignedOut || effect.areCredentialsRevoked || effect.isAtRisk;
  const isAnything = isNarrowed || effect.isBack || added.length > 0;
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

/** Each takes back his own word only. */
function switched(held: readonly Source[], source: Source, { isActive }: Statement["says"]): readonly Source[] {
  if (isActive) return held.filter((one) => one !== source);
  return held.includes(source) ? held : [...held, source];
}

/** A group a directory speaks of is the directory's from then on; those it never named stay as they were given here. */
function changedGroups(
  { groups }: Principal,
  external: External,
  { set, add = [], remove = [] }: GroupChange,
): { readonly all: readonly string[]; readonly given: readonly string[] } {
  const asked = set ?? [...external.groups, ...add];
  const given = [...new Set(asked)].filter((group) => !remove.includes(group));
  const local = groups.filter(
    (group) => !external.groups.includes(group) && !given.includes(group) && !remove.includes(group),
  );
  const order = [...groups.filter((group) => given.includes(group) || local.includes(group)), ...given];
  const all = [...new Set(order)].slice(0, GROUPS_MAX);
  return { all, given: given.filter((group) => all.includes(group)) };
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
