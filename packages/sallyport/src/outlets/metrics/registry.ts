/**
 * Every metric of the program, in the order they were named. Counting is adding to a number; the text is made when it is
 * asked for. What others already know (how many run, how long the queue is) is not counted twice but read at that moment.
 */
import { Family } from "./family.ts";
import type { FamilyHead } from "./family.ts";
import { Histogram, Series } from "./series.ts";
import { writeFamily } from "./text-format.ts";
import type { Written } from "./text-format.ts";

/** One sample of a metric that is read, not counted: its value and its label values. */
export type MetricReading = readonly [value: number, ...labels: string[]];

/** Leaves out the series whose label of this name has a value that is not shown. */
export interface Shown {
  readonly label: string;
  readonly isShown: (value: string) => boolean;
}

/** A metric with what it has now; never empty. */
export interface MetricFamily {
  readonly head: FamilyHead;
  readonly written: readonly Written[];
}

interface Source {
  readonly head: FamilyHead;
  readonly read: () => Iterable<Written>;
}

const NAME = /^[a-z][a-z0-9_]*$/;

export class Registry {
  readonly #sources: Source[] = [];

  counter(name: string, help: string, ...labels: readonly string[]): Family<Series> {
    return this.#family(new Family({ type: "counter", name, help, labels }, () => new Series()));
  }

  histogram(name: string, help: string, bounds: readonly number[], ...labels: readonly string[]): Family<Histogram> {
    return this.#family(new Family({ type: "histogram", name, help, labels }, () => new Histogram(bounds)));
  }

  /** A metric whose samples are asked for at each scrape. */
  reading(
    type: "counter" | "gauge",
    name: string,
    help: string,
    labels: readonly string[],
    read: () => Iterable<MetricReading>,
  ): void {
    this.#add({
      head: { type, name, help, labels },
      read: () => Array.from(read(), ([value, ...values]) => ({ value, values })),
    });
  }

  gauge(name: string, help: string, read: () => number): void {
    this.reading("gauge", name, help, [], () => [[read()]]);
  }

  /** The whole text, without metrics that have no sample yet. */
  write(shown?: Shown): string {
    let text = "";
    for (const { head, written } of this.families(shown)) text += writeFamily(head, written);
    return text;
  }

  /** Each is read when it is asked for. */
  *families(shown?: Shown): Generator<MetricFamily> {
    for (const { head, read } of this.#sources) {
      const at = shown ? head.labels.indexOf(shown.label) : -1;
      const written = [...read()].filter(({ values }) => at < 0 || values[at] === "" || shown!.isShown(values[at]!));
      if (written.length > 0) yield { head, written };
    }
  }

  #family<S extends Series | Histogram>(family: Family<S>): Family<S> {
    this.#add({
      head: family.head,
      read: () =>
        Array.from(family.members(), ({ values, series }) => ({
          values,
          value: series instanceof Histogram ? series : series.value,
        })),
    });
    return family;
  }

  #add(source: Source): void {
    const { name, labels } = source.head;
    const isTaken = this.#sources.some(({ head }) => head.name === name);
    if (isTaken || ![name, ...labels].every((word) => NAME.test(word)))
      throw new Error(`no metric can be named ${name}`);
    this.#sources.push(source);
  }
}
