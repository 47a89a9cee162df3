/**
 * One table of what limits bound, for everyone who compares them: whether a change lets more through (`widening.ts`),
 * and whether what is handed out is bound as tightly as the issuer is (`attenuation.ts`).
 */
import { budgetNames } from "@sallyport/protocol";
import type { BudgetName } from "@sallyport/protocol";
import type { Limits, Quota } from "./policy.ts";

interface LimitDimension {
  readonly name: string;
  /** `b` lets more through than `a`; absent limits let everything through. */
  readonly isLooser: (a: Limits, b: Limits) => boolean;
  /** A limit of this kind is written. */
  readonly isSet: (limits: Limits) => boolean;
}

const dimensions: readonly LimitDimension[] = [
  {
    name: "requests",
    isLooser: (a, b) => rate(b) > rate(a) || burst(b) > burst(a),
    isSet: ({ requests }) => requests !== undefined,
  },
  bound("concurrency", ({ concurrency }) => concurrency),
  bound("maxService", ({ maxServiceMs }) => maxServiceMs),
  // A key, role or team that says nothing has weight 1.
  {
    name: "weight",
    isLooser: (a, b) => (b.weight ?? 1) > (a.weight ?? 1),
    isSet: ({ weight }) => weight !== undefined,
  },
  {
    name: "priority",
    isLooser: (a, b) => a.priority === "batch" && b.priority !== "batch",
    isSet: ({ priority }) => priority === "batch",
  },
  ...budgetNames.map((name): LimitDimension => ({
    name,
    isLooser: (a, b) => isBudgetLooser(hard(a, name), hard(b, name)),
    isSet: (limits) => hard(limits, name) !== undefined,
  })),
];

/** Why the next limits let more through than the old ones; empty where they do not. */
export function looserLimits(old: Limits, next: Limits): string[] {
  return dimensions.filter(({ isLooser }) => isLooser(old, next)).map(({ name }) => `limits.${name}: more`);
}

/** Which of the issuer's own limits nothing that is handed out with a right holds. */
export function unheldLimits(own: Limits, binding: readonly Limits[]): string[] {
  return dimensions
    .filter(({ isSet, isLooser }) => isSet(own) && !binding.some((one) => isSet(one) && !isLooser(own, one)))
    .map(({ name }) => `limits.${name}: more than is the issuer's to grant`);
}

function bound(name: string, of: (limits: Limits) => number | undefined): LimitDimension {
  return {
    name,
    isLooser: (a, b) => (of(b) ?? Infinity) > (of(a) ?? Infinity),
    isSet: (limits) => of(limits) !== undefined,
  };
}

function rate({ requests }: Limits): number {
  return requests ? requests.count / requests.windowMs : Infinity;
}

function burst({ requests }: Limits): number {
  return requests?.count ?? Infinity;
}

/** A budget that only notifies stops nothing. */
function hard(limits: Limits, name: BudgetName): Quota | undefined {
  return limits.soft?.includes(name) ? undefined : limits[name];
}

function isBudgetLooser(a: Quota | undefined, b: Quota | undefined): boolean {
  if (a === undefined) return false;
  return b === undefined || b.amount > a.amount || b.amount / b.windowMs > a.amount / a.windowMs;
}
