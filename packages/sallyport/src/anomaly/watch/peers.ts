/** What keys of one peer group have in common: how often they bring something new, how much they do, in which order they call. */
import { newEwma, learnEwma } from "../series/ewma.ts";
import type { Ewma } from "../series/ewma.ts";
import { DIMENSIONS, METRICS, SCALES_S } from "./row.ts";
import { Calibration } from "./calibration.ts";
import type { KeptCalibration } from "./calibration.ts";
import { mix } from "./hash.ts";

export const SYMBOLS = 64;
const PAIRS = 4_096;
/** A group's level follows its keys' windows slowly. */
const GROUP_ALPHA = 0.002;
/** Before anybody was seen: new things a day. In the order of DIMENSIONS. */
const FIRST_RATES = [0.05, 0.03, 0.03, 0.03, 0.02];
const FIRST_DAYS = 20;

export interface KeptPeers {
  readonly name: string;
  readonly days: number;
  readonly novelties: readonly number[];
  readonly levels: readonly Ewma[];
  readonly total0: number;
  readonly counts: readonly (readonly number[])[];
  readonly calibration: KeptCalibration;
}

export class Peers {
  readonly name: string;
  days = FIRST_DAYS;
  readonly novelties: number[] = FIRST_RATES.map((rate) => rate * FIRST_DAYS);
  readonly levels: readonly Ewma[] = Array.from({ length: METRICS.length * SCALES_S.length }, newEwma);
  /** Counts of calls: after nothing, after one, after two (hashed). */
  readonly order0 = new Float32Array(SYMBOLS);
  readonly order1 = new Float32Array(SYMBOLS * SYMBOLS);
  readonly order2 = new Float32Array(PAIRS);
  readonly totals1 = new Float32Array(SYMBOLS);
  readonly totals2 = new Float32Array(PAIRS);
  total0 = 0;
  readonly calibration = new Calibration();

  constructor(name: string) {
    this.name = name;
  }

  rate(dimension: number): number {
    return this.novelties[dimension]! / this.days;
  }

  countDay(): void {
    this.days++;
    if (this.days < 4_000) return;
    this.days /= 2;
    for (let at = 0; at < DIMENSIONS.length; at++) this.novelties[at]! /= 2;
  }

  learnLevel(index: number, value: number): void {
    learnEwma(this.levels[index]!, value, GROUP_ALPHA);
  }

  /** P(symbol) after the two before it: each order is trusted as far as it was seen (Witten and Bell's way). */
  likelihood(before2: number, before1: number, symbol: number): number {
    const p0 = (this.order0[symbol]! + 0.3) / (this.total0 + 0.3 * SYMBOLS);
    const seen1 = this.totals1[before1]!;
    const p1 = (this.order1[before1 * SYMBOLS + symbol]! + 4 * p0) / (seen1 + 4);
    const context = mix(before2 * SYMBOLS + before1) % PAIRS;
    const pair = mix((before2 * SYMBOLS + before1) * SYMBOLS + symbol + 1) % PAIRS;
    // Two contexts may share a place: never more than all.
    return Math.min(1, (Math.min(this.order2[pair]!, this.totals2[context]!) + 4 * p1) / (this.totals2[context]! + 4));
  }

  learnCall(before2: number, before1: number, symbol: number): void {
    this.order0[symbol]! += 1;
    this.total0++;
    this.order1[before1 * SYMBOLS + symbol]! += 1;
    this.totals1[before1]! += 1;
    this.totals2[mix(before2 * SYMBOLS + before1) % PAIRS]! += 1;
    this.order2[mix((before2 * SYMBOLS + before1) * SYMBOLS + symbol + 1) % PAIRS]! += 1;
    if (this.total0 > 1e6) this.#halve();
  }

  keep(): KeptPeers {
    const { name, days, novelties, levels, total0 } = this;
    return {
      name,
      days,
      novelties,
      levels,
      total0,
      counts: this.#counts().map((counts) => [...counts]),
      calibration: this.calibration.keep(),
    };
  }

  restore(kept: KeptPeers): void {
    this.days = kept.days;
    this.total0 = kept.total0;
    for (const [at, count] of kept.novelties.entries()) this.novelties[at] = count;
    for (const [at, level] of kept.levels.entries()) Object.assign(this.levels[at]!, level);
    for (const [at, counts] of kept.counts.entries()) this.#counts()[at]!.set(counts);
    this.calibration.restore(kept.calibration);
  }

  #counts(): readonly Float32Array[] {
    return [this.order0, this.order1, this.order2, this.totals1, this.totals2];
  }

  #halve(): void {
    this.total0 /= 2;
    for (const counts of this.#counts()) for (let at = 0; at < counts.length; at++) counts[at]! /= 2;
  }
}

/** Which values more than one key brought lately. Two generations of a bounded map stand for "lately". */
export class Familiar {
  #now = new Map<number, number>();
  #before = new Map<number, number>();
  readonly #most: number;
  #turnedAt = 0;

  constructor(most = 20_000) {
    this.#most = most;
  }

  keep(): readonly (readonly [number, number])[] {
    return [...this.#before, ...this.#now];
  }

  restore(kept: readonly (readonly [number, number])[], nowS: number): void {
    this.#now = new Map(kept.slice(-this.#most));
    this.#turnedAt = nowS;
  }

  /** True where another key brought it already. */
  meets(value: number, key: number, nowS: number): boolean {
    if (this.#now.size >= this.#most || nowS - this.#turnedAt > 15 * 86_400) {
      this.#before = this.#now;
      this.#now = new Map();
      this.#turnedAt = nowS;
    }
    const held = this.#now.get(value) ?? this.#before.get(value);
    this.#now.set(value, held === undefined || held === key ? key : 0);
    return held !== undefined && held !== key;
  }
}
