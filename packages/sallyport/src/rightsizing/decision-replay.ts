/**
 * Decides recorded requests again, by the same `decide()` as requests, with the scope as it is and with the proposed
 * boundary. Pure. Access conditions are taken to be met on both sides: a boundary changes none of them. What the present
 * policy denies in any case is counted apart.
 */
import { isDataPermission, parseModelName } from "@sallyport/protocol";
import type { ModelName } from "@sallyport/protocol";
import { demandsOf } from "../usage/recorded-demand.ts";
import type { RecordedDecision } from "../usage/recorded-decisions.ts";
import { OTHER_MODELS } from "../usage/usage-row.ts";
import type { CompiledGrant } from "../access/compiled-grant.ts";
import { decide } from "../access/decide.ts";
import type { Demand } from "../access/demand.ts";
import type { Presented } from "../access/door.ts";
import type { EffectiveRight } from "../access/snapshot.ts";
import { EXAMPLES_MAX } from "../access/rightsizing/rightsizing.ts";
import type { BoundaryDenial } from "../access/rightsizing/rightsizing.ts";

export interface DecisionsReplayed {
  /** Decisions that were made again. */
  readonly of: number;
  /** Those that the present scope allows and the boundary denies. */
  readonly wouldDeny: number;
  /** Those that the present policy denies in any case. */
  readonly deniedAnyway: number;
  /** Those of which the record does not say which model they were about. */
  readonly unknown: number;
  /** The first of those that would be denied, oldest first. */
  readonly examples: readonly BoundaryDenial[];
}

const EVERYTHING: Presented = { address: "", isSigned: true, isIdentified: true };

export function replayDecisions(
  present: EffectiveRight,
  proposed: EffectiveRight,
  decisions: Iterable<RecordedDecision>,
): DecisionsReplayed {
  const [before, after] = [withoutConditions(present), withoutConditions(proposed)];
  const sums = { of: 0, wouldDeny: 0, deniedAnyway: 0, unknown: 0 };
  const denials: BoundaryDenial[] = [];
  for (const { demanded, count, firstAt, firstRequest } of decisions) {
    const demands = demandsFor(demanded);
    sums.of += count;
    if (demands === undefined) sums.unknown += count;
    else if (!isAllowed(before, demands)) sums.deniedAnyway += count;
    else if (!isAllowed(after, demands)) {
      sums.wouldDeny += count;
      const lost = demands.find((demand) => !isAllowed(after, [demand])) ?? demands[0]!;
      denials.push({ at: firstAt, request: firstRequest, demanded: demandText(lost) });
    }
  }
  return { ...sums, examples: denials.toSorted((a, b) => a.at - b.at).slice(0, EXAMPLES_MAX) };
}

function isAllowed(right: EffectiveRight, demands: readonly Demand[]): boolean {
  return decide(right, { demands, offers: [], registries: [], asked: { images: 0 } }, EVERYTHING).isAllowed;
}

export function demandText({ permission, model }: Pick<Demand, "permission" | "model">): string {
  return model ? `${permission} on ${model.key}` : permission;
}

/** The demands of a record; undefined where it does not say them all. */
function demandsFor(demanded: string): readonly Demand[] | undefined {
  const demands: Demand[] = [];
  for (const { permission, model } of demandsOf(demanded)) {
    if (!isDataPermission(permission) || model === OTHER_MODELS) return undefined;
    const name = model === "" ? null : modelNamed(model);
    if (name === undefined) return undefined;
    demands.push({ permission, model: name, field: "model" });
  }
  return demands.length === 0 ? undefined : demands;
}

const CLOUD = "cloud:";
const EVERY_LOCAL_MODEL = "*";

/** The model of a key as it is recorded; undefined for any other text. */
function modelNamed(key: string): ModelName | undefined {
  if (key === EVERY_LOCAL_MODEL)
    return { key, source: "none", host: key, namespace: key, model: key, tag: key, spelling: key };
  const name = parseModelName(key.startsWith(CLOUD) ? key.slice(CLOUD.length) : key);
  return name && key.startsWith(CLOUD) ? { ...name, source: "cloud", key } : name;
}

/** The right with every access condition met. */
export function withoutConditions(right: EffectiveRight): EffectiveRight {
  const open = (grants: readonly CompiledGrant[]): CompiledGrant[] => grants.map((grant) => ({ ...grant, door: null }));
  const environment = { ...right.environment, requireFor: [] };
  return { ...right, environment, doors: [], ceiling: open(right.ceiling), live: open(right.live) };
}
