/**
 * The promise "at most so many alerts a key and month", kept by counting: the highest score of every hour of every key goes
 * into one conformal table, and the bar is the score that so many hours in a million pass. It never sinks below what one
 * would look into, however quiet the keys are. Each alert raises its own key's bar for a while.
 */
import { conformalTail, learnConformal, newConformal } from "../series/conformal.ts";
import type { Conformal, ConformalShape } from "../series/conformal.ts";
import { ROW } from "./row.ts";
import type { Row } from "./row.ts";

const MONTH_S = 30 * 86_400;
const SHAPE: ConformalShape = { buckets: 240, scoreMax: 24, keep: 1 };
/** -log10 of the combined p below which there is no alert. */
const LEAST_BAR = 1.15;
/** Before that: a little above where it came to lie over simulated traffic. */
const FIRST_BAR = 1.9;
/** The bar is believed once so many hours were seen. */
const HOURS_KNOWN = 2_000;
const RAISE = 0.6;
const FADE_S = 10 * 86_400;
/**
 * Hours that pass the threshold for each alert: in the other hours an earlier alert has raised the key's threshold.
 * Tuned on the false alarms of the tuning seeds, with a margin for facts and ramps.
 */
const UNTOLD = 1.6;

export interface KeptBudget {
  readonly scores: Conformal;
  readonly bar: number;
  readonly learned: number;
  readonly watchedS: number;
  readonly sinceS: number;
}

export class Budget {
  readonly #perMonth: number;
  /** Key-months that were watched, s. */
  #watchedS = 0;
  #sinceS = 0;
  #scores: Conformal = newConformal(SHAPE);
  #bar = FIRST_BAR;
  #learned = 0;

  constructor(perMonth: number) {
    this.#perMonth = perMonth;
  }

  /** The highest score of an hour that is over, while so many keys are known. */
  learn(score: number, keys: number, nowS: number): void {
    learnConformal(this.#scores, score, SHAPE);
    if (++this.#learned % 250 !== 0) return;
    if (this.#sinceS !== 0) this.#watchedS += Math.max(0, nowS - this.#sinceS) * keys;
    this.#sinceS = nowS;
    if (this.#learned >= HOURS_KNOWN) this.#setBar();
  }

  p(score: number): number {
    return Math.min(10 ** -score, conformalTail(this.#scores, score, SHAPE));
  }

  bar({ block, at }: Row, nowS: number): number {
    const raised = block.floats[at + ROW.bar]! * 2 ** (-(nowS - block.words[at + ROW.barAt]!) / FADE_S);
    return this.#bar + raised;
  }

  spend(row: Row, nowS: number): void {
    const { block, at } = row;
    block.floats[at + ROW.bar] = this.bar(row, nowS) - this.#bar + RAISE;
    block.words[at + ROW.barAt] = nowS;
  }

  keep(): KeptBudget {
    return {
      scores: this.#scores,
      bar: this.#bar,
      learned: this.#learned,
      watchedS: this.#watchedS,
      sinceS: this.#sinceS,
    };
  }

  restore(kept: KeptBudget): void {
    this.#scores = { counts: [...kept.scores.counts], total: kept.scores.total };
    this.#bar = kept.bar;
    this.#learned = kept.learned;
    this.#watchedS = kept.watchedS;
    this.#sinceS = kept.sinceS;
  }

  #setBar(): void {
    const step = SHAPE.scoreMax / SHAPE.buckets;
    // Keys rest most hours: the promise is shared among those in which they are used.
    const perHour = (UNTOLD * this.#perMonth * this.#watchedS) / MONTH_S / this.#learned;
    let score = LEAST_BAR;
    while (score < SHAPE.scoreMax && conformalTail(this.#scores, score, SHAPE) > perHour) score += step;
    this.#bar = score;
    if (this.#scores.total > 2e6) {
      for (let bucket = 0; bucket < SHAPE.buckets; bucket++) this.#scores.counts[bucket]! /= 2;
      this.#scores.total /= 2;
    }
  }
}
