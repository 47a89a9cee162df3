/**
 * The narrowest boundary that covers everything a key has used, with a margin for rare jobs. Pure.
 *
 * The margin: a permission that was used once in the window stays, on every model it was used on; with more than 3 models
 * it stays on all of the scope's. The window is 400 days unless a shorter one is asked for, so that quarterly and yearly
 * jobs are in it. A key whose use has been counted for
 * less than 100 days (a quarter and some days), or that was used on fewer than 5 days, gets no proposal.
 */
import { coversSelector, isDataPermission, needsModel, parseSelector } from "@sallyport/protocol";
import type { DataPermission } from "@sallyport/protocol";
import type { KeyRecord } from "../keys/key.ts";
import type { PermissionUseSum } from "../usage/permission-use.ts";
import { OTHER_MODELS, USAGE_DAYS } from "../usage/usage-row.ts";
import { grantedBy } from "../access/granted-access.ts";
import type { RightSpec, Role } from "../access/policy.ts";
import type { Boundary, BoundaryGrant } from "../access/rightsizing/boundary.ts";

const DAY_MS = 86_400_000;
/** A proposal needs this much history. */
export const HISTORY_DAYS = 100;
export const USED_DAYS = 5;
/** A key that used more models than this with one permission chooses among them: the selectors of the scope stay. */
export const LISTED_MODELS_MAX = 3;
export const WINDOW_DAYS = USAGE_DAYS;

/** Requests with these leave no intent in the audit log, so that whether they are used is not known: they stay. */
const UNCOUNTED: ReadonlySet<DataPermission> = new Set([
  "server:health",
  "self:rotate",
  "tokens:introspect",
  "usage:read",
]);
/** Used without a demand, where a field would otherwise be clamped. Intents say so since `notedSince`. */
const RELIED_ON: ReadonlySet<DataPermission> = new Set(["infer:override", "runtime:unload", "runtime:pin"]);
/** What the second gives shows in the answers to requests with the first. */
const SHOWN_WITH: Readonly<Partial<Record<DataPermission, DataPermission>>> = { "models:show-private": "models:show" };

export interface UseHistory {
  /** What the key did in the window. */
  readonly uses: readonly PermissionUseSum[];
  /** Days of the window on which it was used. */
  readonly days: number;
  /** Uses are known since then, and since then also what was relied on without a demand. Epoch ms. */
  readonly countedSince: number;
  readonly notedSince: number;
  readonly now: number;
}

/** `session`: a log-in. `canary`: no one uses it. `inactive`: it is not active. `young`, `idle`: too little history. `unchanged`: all of it is used. */
export type NoProposal = "session" | "canary" | "inactive" | "young" | "idle" | "unchanged";

export interface Proposal {
  readonly before: Boundary;
  /** Null where there is no proposal, and then `none` says why. */
  readonly after: Boundary | null;
  readonly none: { readonly why: NoProposal; readonly says: string } | null;
  /** Permissions that were not used in the window, and those of them that the proposal takes away. */
  readonly unused: number;
  readonly removed: readonly DataPermission[];
  /** Permissions that stay on fewer models. */
  readonly narrowed: readonly DataPermission[];
}

export function proposeBoundary(
  key: Pick<KeyRecord, "ceiling" | "createdAt" | "state" | "session" | "isDecoy">,
  roles: ReadonlyMap<string, Role>,
  history: UseHistory,
): Proposal {
  const lines = scopeLines(key.ceiling, roles);
  const before = groupByModels(lines);
  const used = usedModels(history.uses);
  const unused = [...lines.keys()].filter((permission) => !used.has(permission)).length;
  const none = (why: NoProposal, says: string): Proposal => ({
    before,
    after: null,
    none: { why, says },
    unused,
    removed: [],
    narrowed: [],
  });
  const unfit = unfitness(key, history);
  if (unfit) return none(unfit.why, unfit.says);
  const isNoted = history.now - Math.max(key.createdAt, history.notedSince) >= HISTORY_DAYS * DAY_MS;
  const kept = new Map<DataPermission, readonly string[] | null>();
  for (const [permission, selectors] of lines) {
    const models = keptModels(permission, used, isNoted);
    if (models !== undefined) kept.set(permission, narrowTo(permission, models, selectors));
  }
  const removed = [...lines.keys()].filter((permission) => !kept.has(permission));
  const narrowed = [...kept].flatMap(([permission, models]) =>
    models !== null && isNarrower(models, lines.get(permission) ?? []) ? [permission] : [],
  );
  if (removed.length === 0 && narrowed.length === 0) return none("unchanged", "everything in its scope is used");
  return { before, after: groupByModels(kept), none: null, unused, removed, narrowed };
}

function unfitness(
  { state, session, isDecoy, createdAt }: Parameters<typeof proposeBoundary>[0],
  { days, countedSince, now }: UseHistory,
): { readonly why: NoProposal; readonly says: string } | undefined {
  if (session !== null) return { why: "session", says: "it is a user's session, which ends by itself" };
  if (isDecoy) return { why: "canary", says: "it is a canary key" };
  if (state !== "active") return { why: "inactive", says: `it is ${state}` };
  const known = Math.max(0, Math.floor((now - Math.max(createdAt, countedSince)) / DAY_MS));
  if (known < HISTORY_DAYS)
    return {
      why: "young",
      says: `its use is known for ${known} of ${HISTORY_DAYS} days, and a quarterly job is rarer`,
    };
  if (days < USED_DAYS)
    return { why: "idle", says: `it was used on ${days} ${days === 1 ? "day" : "days"}, too few to judge by` };
  return undefined;
}

/** Every permission of the scope with its selectors. */
function scopeLines(ceiling: RightSpec, roles: ReadonlyMap<string, Role>): Map<DataPermission, readonly string[]> {
  const right = { ...ceiling, models: ceiling.models ?? [] };
  const assignment = { id: "", subject: { principal: "" }, environment: "", right, source: "admin" } as const;
  const lines = new Map<DataPermission, string[]>();
  for (const { permission, model } of grantedBy(assignment, roles)) {
    if (!isDataPermission(permission)) continue;
    const models = lines.get(permission) ?? [];
    lines.set(permission, models);
    if (model !== null && !models.includes(model)) models.push(model);
  }
  return lines;
}

/** The models of each permission that was used. */
function usedModels(uses: readonly PermissionUseSum[]): Map<string, Set<string>> {
  const used = new Map<string, Set<string>>();
  for (const { permission, model, used: count } of uses) {
    if (count === 0) continue;
    const models = used.get(permission) ?? new Set();
    used.set(permission, models.add(model));
  }
  return used;
}

/** The models a permission stays on, null = all of its scope; undefined where it goes. */
function keptModels(
  permission: DataPermission,
  used: ReadonlyMap<string, ReadonlySet<string>>,
  isNoted: boolean,
): ReadonlySet<string> | null | undefined {
  const own = used.get(permission);
  if (own) return own;
  if (UNCOUNTED.has(permission) || (RELIED_ON.has(permission) && !isNoted)) return null;
  const shown = SHOWN_WITH[permission];
  return shown === undefined ? undefined : used.get(shown);
}

function narrowTo(
  permission: DataPermission,
  models: ReadonlySet<string> | null,
  scope: readonly string[],
): readonly string[] | null {
  if (models === null || !needsModel(permission) || models.has(OTHER_MODELS) || models.size > LISTED_MODELS_MAX)
    return null;
  const selectors = withTags([...models]);
  if (!selectors.every((text) => parseSelector(text) !== undefined)) return null;
  return isNarrower(selectors, scope) ? selectors : null;
}

/** A key that has used several tags of one model will use another one: it keeps the model with any tag. */
function withTags(models: readonly string[]): readonly string[] {
  const byName = new Map<string, string[]>();
  for (const model of models) {
    const colon = model.lastIndexOf(":");
    const name = colon > model.lastIndexOf("/") ? model.slice(0, colon) : model;
    byName.set(name, [...(byName.get(name) ?? []), model]);
  }
  return [...byName].flatMap(([name, tagged]) => (tagged.length > 1 ? [`${name}:*`] : tagged)).toSorted();
}

/** Some selector of the scope names models that none of the narrow ones names. */
function isNarrower(narrow: readonly string[], scope: readonly string[]): boolean {
  const parsed = narrow.map(parseSelector);
  return scope.some((text) => {
    const wide = parseSelector(text);
    return wide !== undefined && !parsed.some((one) => one !== undefined && coversSelector(one, wide));
  });
}

/** One grant for all permissions on the same models. */
function groupByModels(lines: ReadonlyMap<DataPermission, readonly string[] | null>): Boundary {
  const groups = new Map<string, { permissions: DataPermission[]; models: readonly string[] | null }>();
  for (const [permission, models] of lines) {
    const own = needsModel(permission) ? models : null;
    const name = JSON.stringify(own);
    const group = groups.get(name);
    if (group) group.permissions.push(permission);
    else groups.set(name, { permissions: [permission], models: own });
  }
  return [...groups.values()] satisfies BoundaryGrant[];
}
