/** One page of a list that is kept in no order, by id: found in one look, in slices, without sorting what is on other pages. */
import type { LongWork } from "../kernel/long-work.ts";

const LIMIT_DEFAULT = 1_000;

interface Asked {
  /** The last id of the page before. */
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

export interface Page<T> {
  readonly page: readonly T[];
  /** The last id of the page where there are more; else null. */
  readonly next: string | null;
}

export async function pageById<T extends { readonly id: string }>(
  values: Iterable<T>,
  { after = "", limit = LIMIT_DEFAULT }: Asked,
  isAsked: (value: T) => boolean,
  work: LongWork,
): Promise<Page<T>> {
  // One more than the page, to know whether there are more.
  const most = limit + 1;
  const first: T[] = [];
  await work.each(values, (value) => {
    if (value.id <= after || !isAsked(value)) return;
    const last = first.length === most ? first.at(-1) : undefined;
    if (last && value.id > last.id) return;
    first.splice(placeOf(value.id, first), 0, value);
    if (first.length > most) first.pop();
  });
  const page = first.slice(0, limit);
  return { page, next: first.length > limit ? (page.at(-1)?.id ?? null) : null };
}

/** Where the id belongs in a list in order of ids. */
function placeOf(id: string, sorted: readonly { readonly id: string }[]): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle]!.id < id) from = middle + 1;
    else to = middle;
  }
  return from;
}
