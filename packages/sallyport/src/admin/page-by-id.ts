/** One page of a list that is kept in the order of its ids, read from where the page before ended, in slices. */
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

/** Values by id, in the order of the ids. */
interface Ordered<T> {
  after(id: string): Iterable<readonly [string, T]>;
}

export async function pageById<T>(
  values: Ordered<T>,
  { after = "", limit = LIMIT_DEFAULT }: Asked,
  isAsked: (value: T) => boolean,
  work: LongWork,
): Promise<Page<T>> {
  const page: T[] = [];
  let last: string | null = null;
  for (const [id, value] of values.after(after)) {
    const resting = work.rest();
    if (resting) await resting;
    if (!isAsked(value)) continue;
    if (page.length === limit) return { page, next: last };
    page.push(value);
    last = id;
  }
  return { page, next: null };
}
