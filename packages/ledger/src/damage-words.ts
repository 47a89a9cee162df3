/** What is said alike of a ledger and of its export. */

export interface LedgerDamage {
  readonly seq: number;
  readonly file: string;
  readonly reason: string;
}

export const CHANGED = "the record was changed: its hash is not the one its neighbour names";
export const UNEXPLAINED = "only the record's hash is left, and no end of its time is recorded";

/** Of a log: its checkpoint is not of the tree that its records make. */
export const NOT_ITS_TREE = "the checkpoint names another tree than the records lead to";

/** Where another record stands in the place of one. */
export function missing(expected: number, found: number, file: string): LedgerDamage {
  return { seq: expected, file, reason: `record ${expected} is missing: record ${found} stands in its place` };
}
