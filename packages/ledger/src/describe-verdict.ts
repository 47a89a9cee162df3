/** A verdict in words, for auditors who verify manually. */
import type { LedgerVerdict } from "./verify-ledger.ts";

const UNVOUCHED_SHOWN = 10;

export interface DescribedVerdict {
  /** Names and values, to be set in columns. */
  readonly facts: Readonly<Record<string, string | number>>;
  /** What follows them, a sentence each. */
  readonly notes: readonly string[];
}

export function describeVerdict({ ok, records, firstDamage, unvouched, cannotShow }: LedgerVerdict): DescribedVerdict {
  const iso = (at: number): string => new Date(at).toISOString();
  const place = firstDamage && `${firstDamage.seq > 0 ? `record ${firstDamage.seq} in ` : ""}${firstDamage.file}`;
  const more = unvouched.length - UNVOUCHED_SHOWN;
  return {
    facts: {
      ledger: ok ? "whole" : "DAMAGED",
      records,
      ...(firstDamage ? { "first damage": `${place}: ${firstDamage.reason}` } : {}),
    },
    notes: [
      ...unvouched
        .slice(0, UNVOUCHED_SHOWN)
        .map(
          ({ after, from, to, reason }) =>
            `not vouched for: after record ${after}, ${iso(from)} to ${iso(to)}: ${reason}`,
        ),
      ...(more > 0 ? [`and ${more} more such times (--json)`] : []),
      ...cannotShow.map((sentence) => `not shown by this: ${sentence}`),
    ],
  };
}
