/**
 * The decision: may this right do what is demanded? Pure: the same right and request give the same answer, and nothing
 * is read or written. Every demand must be covered by the key's scope and by the owner's current permissions, and the
 * environment must not close it. Unknown means no.
 */
import { parseSelector, refuse, thinkLevels } from "@sallyport/protocol";
import type { DataPermission, ModelName, Refusal, ThinkLevel } from "@sallyport/protocol";
import { grantCovers, grantCoversSelector, grantNames } from "./compiled-grant.ts";
import type { CompiledGrant } from "./compiled-grant.ts";
import type { AskedParameters, Demand } from "./demand.ts";
import { refuseDoors } from "./door.ts";
import type { Door, Presented } from "./door.ts";
import { boundOf, countedGuards, denialOf } from "./guard-bounds.ts";
import type { GuardName } from "./guard-bounds.ts";
import type { EffectiveRight } from "./snapshot.ts";

export interface Question {
  readonly demands: readonly Demand[];
  /** What the request offers the model and can do without, such as a tool: taken out where it is not granted. */
  readonly offers: readonly Demand[];
  readonly registries: readonly string[];
  readonly asked: AskedParameters;
}

/** Where a `keep_alive` must lie, in seconds. */
export interface KeepAliveRange {
  readonly minSeconds: number;
  readonly maxSeconds: number;
  /** The bounds without the permissions to unload and to pin; absent = the same. */
  readonly usual?: { readonly minSeconds: number; readonly maxSeconds: number };
}

/** What was granted, as far as the bytes upstream depend on it. */
export interface Granted {
  readonly outputTokens: number | undefined;
  /** The largest `num_ctx`; undefined = none may be set. */
  readonly contextTokens: number | undefined;
  /** The most that it may make the model think. */
  readonly think: ThinkLevel | undefined;
  readonly topLogprobs: number | undefined;
  readonly mayOverride: boolean;
  readonly keepAlive: KeepAliveRange;
  /** Whether what the request offers (`Question.offers`) is granted as well. */
  readonly hasOffers: boolean;
}

export type Decision =
  | { readonly isAllowed: true; readonly granted: Granted; readonly demands: readonly Demand[] }
  | { readonly isAllowed: false; readonly refusal: Refusal };

/** `because`, when given, is filled with one sentence per rule that was asked, in order: for `explain`, not for requests. */
export function decide(whole: EffectiveRight, question: Question, presented: Presented, because?: string[]): Decision {
  if (whole.isOwnerDisabled) return no(refuse("owner_disabled"), because, "the key's owner is disabled or gone");
  const right = openRight(whole, presented);
  const model = question.demands[0]?.model ?? null;
  const hasOffers = question.offers.length > 0 && question.offers.every((offer) => !refuseDemand(right, offer));
  const demands = hasOffers ? [...question.demands, ...question.offers] : question.demands;
  if (demands.length === 0) return no(refuse("permission_denied"), because, "nothing was asked, so nothing is granted");
  const doors = doorsOf(
    right,
    demands.map(({ permission }) => permission),
  );
  const shut = doors.length > 0 ? refuseDoors(doors, presented, because) : undefined;
  if (shut) return { isAllowed: false, refusal: shut };
  for (const demand of demands) {
    const refusal = refuseDemand(right, demand, because);
    if (refusal) return { isAllowed: false, refusal: shutDoor(whole, right, demand, presented, because) ?? refusal };
  }
  for (const host of question.registries) {
    if (!right.environment.registries.includes(host)) {
      return no(
        refuse("registry_denied", host),
        because,
        `environment ${right.environment.name} does not allow the registry ${host}`,
      );
    }
  }
  for (const name of countedGuards) {
    const most = guardOf(right, demands, name);
    if (most === undefined || (question.asked[name] ?? 0) <= most) continue;
    return no(refuse("permission_denied", denialOf(name, most)), because, `a guard allows ${denialOf(name, most)}`);
  }
  const think = guardOf(right, demands, "think");
  return {
    isAllowed: true,
    granted: {
      outputTokens: guardOf(right, demands, "outputTokens"),
      contextTokens: contextTokensOf(right, demands),
      topLogprobs: guardOf(right, demands, "topLogprobs"),
      think: think === undefined ? undefined : thinkLevels[think],
      mayOverride: isHeld(right, "infer:override", model),
      keepAlive: keepAliveOf(right, model),
      hasOffers,
    },
    demands,
  };
}

/**
 * The right with only those grants whose roles' access conditions are met: the others do not exist for this request,
 * whatever it asks (guards, listings, overrides).
 */
export function openRight(right: EffectiveRight, presented: Presented): EffectiveRight {
  const isOpen = ({ door }: CompiledGrant): boolean =>
    door === null || refuseDoors([...right.doors, door], presented) === undefined;
  if (right.ceiling.every(isOpen) && right.live.every(isOpen)) return right;
  return { ...right, ceiling: right.ceiling.filter(isOpen), live: right.live.filter(isOpen) };
}

/**
 * Access conditions of the environment and the key, and those that the environment demands for the requested
 * permissions.
 */
export function doorsOf(right: EffectiveRight, permissions: readonly DataPermission[]): readonly Door[] {
  const { requireFor, name } = right.environment;
  if (requireFor.length === 0) return right.doors;
  const more = requireFor.filter((row) => permissions.some((permission) => row.permissions.includes(permission)));
  const doors = more.map(({ permissions: asked, require }) => ({
    origin: `environment ${name} for ${asked.join(", ")}`,
    networks: null,
    require,
  }));
  return [...right.doors, ...doors];
}

/** The demand would be covered but for a role's access condition: why that one is not met. */
function shutDoor(
  whole: EffectiveRight,
  open: EffectiveRight,
  { permission, model }: Demand,
  presented: Presented,
  because?: string[],
): Refusal | undefined {
  for (const side of ["ceiling", "live"] as const) {
    const covers = (grant: CompiledGrant): boolean => grantCovers(grant, permission, model);
    if (open[side].some(covers)) continue;
    const door = whole[side].find(covers)?.door;
    // Nothing covers it: that is the denial, whatever the access conditions are.
    if (!door) return undefined;
    return refuseDoors([...whole.doors, door], presented, because);
  }
  return undefined;
}

/** Both the key's scope and the owner's current permissions grant the permission on the model. */
export function isHeld(right: EffectiveRight, permission: DataPermission, model: ModelName | null): boolean {
  return (
    !right.isOwnerDisabled &&
    !(model?.source === "cloud" && right.environment.cloud !== "allow") &&
    right.ceiling.some((grant) => grantCovers(grant, permission, model)) &&
    right.live.some((grant) => grantCovers(grant, permission, model)) &&
    (right.token === null || right.token.some((grant) => grantCovers(grant, permission, model)))
  );
}

/** Both give the permission on some model: enough to be let near the endpoint, not to use it. */
export function isHeldAnywhere(right: EffectiveRight, permission: DataPermission): boolean {
  return (
    !right.isOwnerDisabled &&
    right.ceiling.some((grant) => grant.permissions.has(permission)) &&
    right.live.some((grant) => grant.permissions.has(permission)) &&
    (right.token === null || right.token.some((grant) => grant.permissions.has(permission)))
  );
}

/** Some grant of each side names whatever the selector names: what is narrowed to it asks for nothing more. */
export function isWithin(right: EffectiveRight, selectorText: string): boolean {
  const selector = parseSelector(selectorText);
  if (!selector) return false;
  const covers = (grant: CompiledGrant): boolean => grantCoversSelector(grant, selector);
  return right.ceiling.some(covers) && right.live.some(covers) && (right.token === null || right.token.some(covers));
}

/**
 * The caller may know about the model: selectors name it in the key's scope and in the owner's current permissions.
 * Listings are filtered by this. A permission to list alone is enough to see what its selectors name.
 */
export function maySee(right: EffectiveRight, model: ModelName): boolean {
  return (
    !right.isOwnerDisabled &&
    !(model.source === "cloud" && right.environment.cloud !== "allow") &&
    right.ceiling.some((grant) => grantNames(grant, model)) &&
    right.live.some((grant) => grantNames(grant, model)) &&
    (right.token === null || right.token.some((grant) => grantNames(grant, model)))
  );
}

function refuseDemand(right: EffectiveRight, demand: Demand, because?: string[]): Refusal | undefined {
  const { permission, model, field } = demand;
  if ((model?.source === "cloud" || permission.startsWith("cloud:")) && right.environment.cloud !== "allow") {
    because?.push(`environment ${right.environment.name} denies the cloud, and ${field} asks for ${sayDemand(demand)}`);
    return refuse("cloud_denied");
  }
  return (
    refuseIn(right.ceiling, "the key's scope", demand, because) ??
    refuseIn(right.live, "the owner's current permissions", demand, because) ??
    (right.token ? refuseIn(right.token, "the token", demand, because) : undefined)
  );
}

function sayDemand({ permission, model }: Demand): string {
  return model ? `${permission} on ${model.key}` : permission;
}

function refuseIn(
  grants: readonly CompiledGrant[],
  whose: string,
  demand: Demand,
  because?: string[],
): Refusal | undefined {
  const { permission, model, field } = demand;
  const grant = grants.find((candidate) => grantCovers(candidate, permission, model));
  if (grant) {
    because?.push(`${whose} grants ${sayDemand(demand)} by ${grant.origin} (asked by ${field})`);
    return undefined;
  }
  if (grants.some((candidate) => candidate.permissions.has(permission))) {
    because?.push(
      `${whose} grants ${permission}, but its selectors do not match ${model?.key ?? "any model"} (asked by ${field})`,
    );
    return refuse("model_denied", `${permission} on ${model?.key ?? "no model"}`);
  }
  because?.push(`${whose} does not grant ${permission} (asked by ${field})`);
  return refuse(
    "permission_denied",
    field === "endpoint" || field === "model" ? permission : `${permission} (asked by ${field})`,
  );
}

/** A model stays loaded for everybody who shares it, so an ordinary caller can neither shorten its stay nor pin it. */
function keepAliveOf(right: EffectiveRight, model: ModelName | null): KeepAliveRange {
  const longest = right.environment.keepAliveMaxSeconds;
  const usual = { minSeconds: Math.min(OLLAMA_KEEP_ALIVE_SECONDS, longest), maxSeconds: longest };
  const [mayUnload, mayPin] = [isHeld(right, "runtime:unload", model), isHeld(right, "runtime:pin", model)];
  if (!mayUnload && !mayPin) return usual;
  return {
    minSeconds: mayUnload ? 0 : usual.minSeconds,
    maxSeconds: mayPin ? Number.POSITIVE_INFINITY : longest,
    usual,
  };
}

/** How long Ollama keeps a model loaded by default (`OLLAMA_KEEP_ALIVE`). */
const OLLAMA_KEEP_ALIVE_SECONDS = 300;

/**
 * The tightest of environment, key scope and current permissions, over everything that is requested; within one of the
 * two, the widest of the grants that cover the work.
 */
function guardOf(right: EffectiveRight, demands: readonly Demand[], bound: GuardName): number | undefined {
  let tightest = boundOf(right.environment.guard, bound);
  for (const demand of demands) {
    if (demand.model === null) continue;
    tightest = tighter(tightest, widestOf(right.ceiling, demand, bound));
    tightest = tighter(tightest, widestOf(right.live, demand, bound));
  }
  return tightest;
}

/** Setting the context's size reloads a shared model, so it takes a guard that says how far: of the role, or of the environment. */
function contextTokensOf(right: EffectiveRight, demands: readonly Demand[]): number | undefined {
  const own = right.environment.guard.contextTokens;
  let tightest = own ?? Number.POSITIVE_INFINITY;
  for (const { permission, model } of demands) {
    if (model === null) continue;
    for (const grants of [right.ceiling, right.live]) {
      let widest = 0;
      for (const grant of grants)
        if (grantCovers(grant, permission, model)) widest = Math.max(widest, grant.guard.contextTokens ?? own ?? 0);
      tightest = Math.min(tightest, widest);
    }
  }
  return tightest >= 1 && Number.isFinite(tightest) ? tightest : undefined;
}

function widestOf(
  grants: readonly CompiledGrant[],
  { permission, model }: Demand,
  bound: GuardName,
): number | undefined {
  let widest = 0;
  for (const grant of grants) {
    if (!grantCovers(grant, permission, model)) continue;
    const own = boundOf(grant.guard, bound);
    if (own === undefined) return undefined;
    if (own > widest) widest = own;
  }
  return widest;
}

function tighter(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

function no(refusal: Refusal, because: string[] | undefined, reason: string): Decision {
  because?.push(reason);
  return { isAllowed: false, refusal };
}
