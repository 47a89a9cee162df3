/**
 * What a factor's p-value is worth: models of rates and orders are wrong in their tails, so each factor's values of all
 * hours of all keys are counted (conformal calibration), and a value says no more than the share of hours that had as much.
 */
import { conformalTail, learnConformal, newConformal } from "../series/conformal.ts";
import type { Conformal, ConformalShape } from "../series/conformal.ts";
import { prior, PRIOR_STEP } from "./calibration-prior.ts";
import { FACTORS, ROW } from "./row.ts";
import type { Row } from "./row.ts";

const SHAPE: ConformalShape = { buckets: 120, scoreMax: 12, keep: 1 };
/** Until a gateway has observed so many hours of its keys, it blends in the counts from simulated traffic. */
const HOURS_KNOWN = 4_000;
/** How much more than it says itself a factor may count where the hours say so. */
const TRUST = 1.5;
/** And how little: unusual hours are already counted per hour, and undetected misuse fills their table. */
const HOURS = 12;
const HOURS_DOUBT = 1.1;
/**
 * A person's hours are all that some thefts show, and they come once a night where other factors come with every hour: the
 * same share of key-hours says more here. Chosen on simulated traffic, at an equal number of false alarms.
 */
const HOURS_WEIGHT = 1.5;
/** What is rarer than the table can show counts on, at a discount. */
const RESOLVED = 5;
const EXTRA = 0.4;
const ANEW = 256;
const COUNT_MAX = 1e6;

export interface KeptCalibration {
  readonly tables: readonly Conformal[];
  readonly worth: readonly number[];
  readonly hours: number;
}

export class Calibration {
  readonly tables: readonly Conformal[] = Array.from({ length: FACTORS }, () => newConformal(SHAPE));
  /** -log10 of the share of hours at or above each bucket. */
  readonly #worth = new Float32Array(FACTORS * SHAPE.buckets);
  #hours = 0;

  /** An hour of a key is over. */
  learn({ block, at }: Row, hour: number): void {
    for (let factor = 0; factor < FACTORS; factor++) {
      const place = at + ROW.factors + 2 * factor;
      const isOfHour = Math.floor(block.words[place + 1]! / 3_600) === hour;
      learnConformal(this.tables[factor]!, isOfHour ? block.floats[place]! : 0, SHAPE);
    }
    if (++this.#hours % ANEW === 0) this.#countAnew();
  }

  /** `said` is -log10 p of the factor's own model; so is the answer. */
  worth(factor: number, said: number): number {
    const bucket = Math.min(SHAPE.buckets - 1, Math.floor((said / SHAPE.scoreMax) * SHAPE.buckets));
    const beyond = EXTRA * Math.max(0, said - RESOLVED);
    const known = Math.min(1, this.#hours / HOURS_KNOWN);
    const counted = this.#worth[factor * SHAPE.buckets + bucket]!;
    const believed = known === 1 ? counted : known * counted + (1 - known) * priorWorth(factor, said);
    const trusted = Math.min(TRUST * said, believed);
    return (factor === HOURS ? HOURS_WEIGHT * Math.max(HOURS_DOUBT * said, trusted) : trusted) + beyond;
  }

  keep(): KeptCalibration {
    return { tables: this.tables, worth: [...this.#worth], hours: this.#hours };
  }

  restore({ tables, worth, hours }: KeptCalibration): void {
    for (const [factor, { counts, total }] of tables.entries())
      Object.assign(this.tables[factor]!, { counts: [...counts], total });
    this.#hours = hours;
    this.#worth.set(worth);
  }

  #countAnew(): void {
    for (let factor = 0; factor < FACTORS; factor++) {
      const table = this.tables[factor]!;
      for (let bucket = 0; bucket < SHAPE.buckets; bucket++)
        this.#worth[factor * SHAPE.buckets + bucket] = -Math.log10(
          conformalTail(table, ((bucket + 0.5) / SHAPE.buckets) * SHAPE.scoreMax, SHAPE),
        );
      if (table.total < COUNT_MAX) continue;
      table.total /= 2;
      for (let bucket = 0; bucket < SHAPE.buckets; bucket++) table.counts[bucket]! /= 2;
    }
  }
}

function priorWorth(factor: number, said: number): number {
  const curve = prior[factor]!;
  return curve[Math.min(curve.length - 1, Math.floor(said / PRIOR_STEP))]!;
}
