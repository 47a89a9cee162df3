/** How well alerts fit the labels: pure counting, so that any detector may be judged by it. */
import type { Label, SimulationManifest } from "../simulate/simulate.ts";

/**
 * A ramp goes on for weeks, in which any alert may come by chance: it counts as found only when it is called one.
 */
const ONLY_AS: Readonly<Record<string, string>> = { poisoned_ramp: "ramp" };
/** An alert shortly after a misuse ended is still about it. */
const AFTER_MS = 3_600_000;
const MONTH_DAYS = 30;
const DAY_MS = 86_400_000;

export interface Judged {
  readonly key: string;
  readonly kind: string;
  /** Epoch ms. */
  readonly at: number;
}

export interface KindScore {
  readonly labelled: number;
  readonly found: number;
  readonly medianDelaySeconds: number | null;
}

export interface Score {
  /** Labelled misuses with an alert, of all. */
  readonly recall: number;
  /** Found misuses, of those and all false alarms. Several alerts about one misuse count once. */
  readonly precision: number;
  readonly falseAlarmsPerKeyMonth: number;
  /** From the first event of a misuse to its first alert; of those found. */
  readonly medianDelaySeconds: number | null;
  readonly falseAlarms: number;
  readonly kinds: Readonly<Record<string, KindScore>>;
  /** Of the labelled, how many an alert would meet by chance, at the rate at which there are false ones. */
  readonly foundByChance: number;
  /** False alarms by the alert's kind. */
  readonly falseKinds: Readonly<Record<string, number>>;
}

export function score(
  alerts: readonly Judged[],
  labels: readonly Label[],
  { keys, days }: Pick<SimulationManifest, "keys" | "days">,
): Score {
  const firsts = new Map<Label, number>();
  const falseKinds: Record<string, number> = {};
  let falseAlarms = 0;
  for (const { key, kind, at } of alerts) {
    const about = labels.filter((label) => label.key === key && at >= label.from && at <= label.until + AFTER_MS);
    for (const label of about)
      if (!firsts.has(label) && (ONLY_AS[label.kind] ?? kind) === kind) firsts.set(label, at - label.from);
    if (about.length > 0) continue;
    falseAlarms++;
    falseKinds[kind] = (falseKinds[kind] ?? 0) + 1;
  }
  const kinds = Object.fromEntries(
    [...new Set(labels.map(({ kind }) => kind))].toSorted().map((kind) => {
      const mine = labels.filter((label) => label.kind === kind);
      const found = mine.filter((label) => firsts.has(label));
      return [
        kind,
        {
          labelled: mine.length,
          found: found.length,
          medianDelaySeconds: medianSeconds(found.map((label) => firsts.get(label)!)),
        },
      ];
    }),
  );
  return {
    recall: labels.length === 0 ? 1 : firsts.size / labels.length,
    precision: firsts.size + falseAlarms === 0 ? 1 : firsts.size / (firsts.size + falseAlarms),
    falseAlarmsPerKeyMonth: falseAlarms / ((keys * days) / MONTH_DAYS),
    medianDelaySeconds: medianSeconds([...firsts.values()]),
    falseAlarms,
    foundByChance: byChance(labels, falseAlarms / (keys * days)),
    kinds,
    falseKinds,
  };
}

function byChance(labels: readonly Label[], falseADay: number): number {
  const met = labels.map(({ kind, from, until }) =>
    kind in ONLY_AS ? 0 : 1 - Math.exp((-falseADay * (until + AFTER_MS - from)) / DAY_MS),
  );
  return met.reduce((sum, one) => sum + one, 0);
}

function medianSeconds(delaysMs: readonly number[]): number | null {
  if (delaysMs.length === 0) return null;
  const sorted = delaysMs.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return (sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2) / 1_000;
}
