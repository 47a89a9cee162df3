/** Walks keys page by page, so that a million of them are never held at once. */
import type { LongWork } from "../kernel/long-work.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { AdminPorts } from "./ports.ts";

/** Reading and checking a key's row takes some 50 us: a page is part of one turn. */
const PAGE = 20;

interface KeyWalk {
  readonly environment?: string;
  readonly owner?: string;
  /** The `environment/id` before the first. */
  readonly after?: string;
}

/** In the store's order: environment, then id. In one turn: for the few keys of an owner. */
export function* eachKey(ports: Pick<AdminPorts, "listKeys">, filter: KeyWalk): Generator<KeyRecord> {
  let position = filter;
  for (;;) {
    const page = ports.listKeys({ ...position, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    position = { ...filter, after: `${last.environment}/${last.id}` };
  }
}

/** The same in slices: for walks over the keys of an environment, or of all. */
export async function* everyKey(
  ports: Pick<AdminPorts, "listKeys">,
  filter: KeyWalk,
  work: LongWork,
): AsyncGenerator<KeyRecord> {
  let count = 0;
  for (const key of eachKey(ports, filter)) {
    yield key;
    const resting = ++count % PAGE === 0 ? work.rest() : undefined;
    if (resting) await resting;
  }
}
