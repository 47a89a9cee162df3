/**
 * All series of one metric, told apart by the values of its labels. Values must come from bounded sets; should one not,
 * what comes after the bound is counted together, so that memory and the scrape stay bounded all the same.
 */
import type { Histogram, Series } from "./series.ts";

export type MetricType = "counter" | "gauge" | "histogram";

export interface FamilyHead {
  readonly type: MetricType;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** A family's member as it is written: label values in the family's order. */
export interface FamilyMember<S> {
  readonly values: readonly string[];
  readonly series: S;
}

export const SERIES_MAX = 5_000;
const OTHER = "other";

export class Family<S extends Series | Histogram> {
  readonly head: FamilyHead;
  readonly #make: () => S;
  readonly #members = new Map<string, FamilyMember<S>>();

  constructor(head: FamilyHead, make: () => S) {
    this.head = head;
    this.#make = make;
  }

  /** The series of these label values, made when it is asked for first. Keep it where it is used often. */
  at(...values: readonly string[]): S {
    const name = values.join("\0");
    const held = this.#members.get(name);
    if (held) return held.series;
    if (values.length !== this.head.labels.length) throw new Error(`${this.head.name} has other labels`);
    const isFull = this.#members.size >= SERIES_MAX && values.some((value) => value !== OTHER);
    if (isFull) return this.at(...values.map(() => OTHER));
    const series = this.#make();
    this.#members.set(name, { values, series });
    return series;
  }

  members(): Iterable<FamilyMember<S>> {
    return this.#members.values();
  }
}
