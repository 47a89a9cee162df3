/**
 * A log that can be none: an older program let a caller's text become an environment's name. `sallyport audit repair`
 * takes such a log out, and a record of type `ledger.log_removed` says which, with its size and root. Its records stay in
 * the chain, where the signed head covers them.
 */
import type { EventValue } from "./encode-event.ts";
import { isTreeHash } from "./tree-hash.ts";

export const LOG_REMOVED = "ledger.log_removed";

export interface RemovedLog {
  /** What stood in its records as the environment. */
  readonly log: string;
  readonly records: number;
  /** Of the tree of those records. */
  readonly root: string;
}

/** The record's fields. */
export function removedLogFields({ log, records, root }: RemovedLog) {
  return { log, records, root };
}

/** Undefined for a record of any other type, and for unknown fields. */
export function removedLogOf({
  type,
  fields,
}: {
  readonly type: string;
  readonly fields: Readonly<Record<string, EventValue>>;
}): RemovedLog | undefined {
  if (type !== LOG_REMOVED) return undefined;
  const { log, records, root } = fields;
  return typeof log === "string" && Number.isSafeInteger(records) && isTreeHash(root)
    ? { log, records: records as number, root }
    : undefined;
}
