/** Sorts a list that may be long, in slices: runs are sorted at once, and merged in pairs. Stable. */
import type { LongWork } from "./long-work.ts";

const RUN = 256;

/** By a text of each value, which is computed once. */
export async function sortInSlices<T>(values: Iterable<T>, textOf: (value: T) => string, work: LongWork): Promise<T[]> {
  const keyed = await work.flatMap(values, (value): Keyed<T>[] => [{ text: textOf(value), value }]);
  let runs: Keyed<T>[][] = [];
  for (let from = 0; from < keyed.length; from += RUN) {
    runs.push(keyed.slice(from, from + RUN).toSorted((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0)));
    const resting = work.rest();
    if (resting) await resting;
  }
  while (runs.length > 1) {
    const merged: Keyed<T>[][] = [];
    for (let at = 0; at < runs.length; at += 2) merged.push(await merge(runs[at] ?? [], runs[at + 1] ?? [], work));
    runs = merged;
  }
  return work.flatMap(runs[0] ?? [], ({ value }) => [value]);
}

interface Keyed<T> {
  readonly text: string;
  readonly value: T;
}

async function merge<T>(a: readonly Keyed<T>[], b: readonly Keyed<T>[], work: LongWork): Promise<Keyed<T>[]> {
  const merged: Keyed<T>[] = [];
  let [atA, atB] = [0, 0];
  while (atA < a.length || atB < b.length) {
    const [nextA, nextB] = [a[atA], b[atB]];
    const isA = nextB === undefined || (nextA !== undefined && nextA.text <= nextB.text);
    if (isA) {
      if (nextA) merged.push(nextA);
      atA++;
    } else {
      merged.push(nextB);
      atB++;
    }
    const resting = merged.length % RUN === 0 ? work.rest() : undefined;
    if (resting) await resting;
  }
  return merged;
}
