/**
 * One table of what guards bound, for everyone who reads, compares, prints or stores them: a guard that is new in `Guard`
 * does not compile without a row here.
 */
import { thinkLevels } from "@sallyport/protocol";
import type { WrittenGuard } from "@sallyport/contract";
import type { AskedParameters } from "./demand.ts";
import type { Guard } from "./policy.ts";

/** What a request may ask where no guard says anything: as much as it likes, or nothing. */
type Unguarded = "everything" | "nothing";

interface GuardRow {
  readonly unguarded: Unguarded;
  /** A request that asks for more is denied with this; the others have it lowered. */
  readonly denies?: (most: number) => string;
}

const rows: { readonly [Name in keyof Required<Guard>]: GuardRow } = {
  outputTokens: { unguarded: "everything" },
  images: { unguarded: "everything", denies: (most) => `at most ${most} images` },
  contextTokens: { unguarded: "nothing" },
  messages: { unguarded: "everything", denies: (most) => `at most ${most} messages` },
  tools: { unguarded: "everything", denies: (most) => `at most ${most} tools` },
  schemaBytes: { unguarded: "everything", denies: (most) => `at most ${most} bytes in one schema` },
  think: { unguarded: "everything" },
  topLogprobs: { unguarded: "everything" },
};

export type GuardName = keyof typeof rows;
export const guardNames = Object.keys(rows) as readonly GuardName[];

/** A guard that a request is measured by, and denied. */
export type CountedGuard = Exclude<keyof AskedParameters, "outputTokens">;
export const countedGuards = guardNames.filter((name): name is CountedGuard => rows[name].denies !== undefined);

export function denialOf(name: CountedGuard, most: number): string {
  return rows[name].denies!(most);
}

/** The guard's value as a number, of which a larger one lets more through; undefined where none is written. */
export function boundOf(guard: Guard | undefined, name: GuardName): number | undefined {
  const value = guard?.[name];
  return typeof value === "string" ? thinkLevels.indexOf(value) : value;
}

/** What a request may ask without a guard. */
export function unguardedBound(name: GuardName): number {
  return rows[name].unguarded === "everything" ? Infinity : 0;
}

/** Why the next guards let more through than the old ones; empty where they do not. */
export function looserGuards(old: Guard | undefined, next: Guard | undefined): string[] {
  return guardNames.filter((name) => isLooser(name, boundOf(old, name), boundOf(next, name))).map(moreOf);
}

function isLooser(name: GuardName, old: number | undefined, next: number | undefined): boolean {
  const unguarded = unguardedBound(name);
  // An environment that lifts its own guard opens those of its roles.
  return (next ?? unguarded) > (old ?? unguarded) || (old !== undefined && next === undefined);
}

/** Which of the guards that bind an issuer nothing holds that is handed out. `roles`: of those given; `isRest`: beside roles. */
export function unheldGuards(
  own: Guard,
  binding: readonly (Guard | undefined)[],
  roles: readonly Guard[],
  hasSinglePermissions: boolean,
): string[] {
  const isHeld = (name: GuardName): boolean => {
    const most = boundOf(own, name);
    if (most === undefined || binding.some((guard) => (boundOf(guard, name) ?? Infinity) <= most)) return true;
    // A role without the guard is bounded by that of the environment, where one is written: then what is unguarded is more.
    const isUnset = binding.every((guard) => boundOf(guard, name) === undefined);
    const unguarded = isUnset ? unguardedBound(name) : Infinity;
    return (
      (!hasSinglePermissions || unguarded <= most) &&
      roles.every((guard) => (boundOf(guard, name) ?? unguarded) <= most)
    );
  };
  return guardNames.filter((name) => !isHeld(name)).map((name) => `guard.${name}: more than is the issuer's to grant`);
}

/** A scope without a guard may hand out any: a bound that bounds nothing. */
export function asScopeGuard(guard: Guard | undefined): Guard {
  const closed = guardNames.filter((name) => unguardedBound(name) === 0);
  return { ...Object.fromEntries(closed.map((name) => [name, Infinity])), ...guard };
}

export function buildGuard(written: WrittenGuard | undefined): Guard {
  if (written === undefined) return {};
  return Object.fromEntries(guardNames.flatMap((name) => (written[name] === undefined ? [] : [[name, written[name]]])));
}

/** One line, for plans; empty without guards. */
export function guardText(guard: Guard): string {
  return guardNames.flatMap((name) => (guard[name] === undefined ? [] : [`${name}=${guard[name]}`])).join(" ");
}

function moreOf(name: GuardName): string {
  return `guard.${name}: more`;
}
