/**
 * Denials before authentication: anyone can cause them, so they are counted and never recorded one by one. Code and
 * network are counted in memory; each flush writes a bounded number of records, the largest counts by name and the rest
 * together. A flood from a million addresses costs as much disk as one from sixty.
 */
import { encodeEvent } from "@sallyport/ledger";
import type { Refusal } from "@sallyport/protocol";
import type { Clock } from "../kernel/clock.ts";
import { networkPrefix } from "../kernel/network-prefix.ts";
import type { LedgerAppender } from "./recorder.ts";

export interface UnauthenticatedPorts {
  readonly ledger: Pick<LedgerAppender, "append">;
  readonly clock: Pick<Clock, "now">;
  /** Most rows in memory; what comes beyond is counted under the prefix `other`. */
  readonly rowsMax?: number;
}

export interface Unauthenticated {
  /** Unknown ids and wrong secrets have one code and are counted apart, by their signal. */
  count(refusal: Counted, address: string): void;
  /** Writes what was counted since the last flush, `now` in epoch ms. Call once a minute and when closing. */
  flush(now: number): void;
}

/** Most records a flush writes. */
export const UNAUTHENTICATED_RECORDS_MAX = 64;
const ROWS_MAX = 1_024;
const OTHER = "other";

/** `code` may be one of the HTTP parser's, which are no denials. */
export interface Counted extends Pick<Refusal, "signal"> {
  readonly code: string;
}

interface Row extends Counted {
  readonly prefix: string;
  count: number;
}

export function makeUnauthenticated({ ledger, clock, rowsMax = ROWS_MAX }: UnauthenticatedPorts): Unauthenticated {
  let rows = new Map<string, Row>();
  let since = clock.now();

  function add(to: Map<string, Row>, counted: Counted, prefix: string, count: number): void {
    const name = `${kindOf(counted)} ${prefix}`;
    const row = to.get(name);
    if (row) row.count += count;
    else if (to.size < rowsMax || prefix === OTHER) to.set(name, { ...only(counted), prefix, count });
    else add(to, counted, OTHER, count);
  }

  return {
    count(refusal, address) {
      if (rows.size === 0) since = clock.now();
      add(rows, refusal, networkPrefix(address), 1);
    },
    flush(now) {
      const written = foldRows([...rows.values()], UNAUTHENTICATED_RECORDS_MAX);
      const from = since;
      rows = new Map();
      for (const row of written) {
        const { code, signal = null, prefix, count } = row;
        const event = encodeEvent({
          type: "request.unauthenticated",
          at: now,
          environment: "system",
          actor: "gateway",
          fields: { code, signal, network: prefix, count, since: from },
        });
        // What cannot be written now is counted on: it comes with the next flush.
        if (ledger.append(event) === undefined) add(rows, row, prefix, count);
      }
      since = rows.size > 0 ? from : now;
    },
  };
}

function kindOf({ code, signal }: Counted): string {
  return `${code} ${signal ?? ""}`;
}

/** Denials have more members, which must not be held for a minute. */
function only({ code, signal }: Counted): Counted {
  return signal === undefined ? { code } : { code, signal };
}

/** At most `most` rows: the largest as they are, the others together by kind, or all together if there are too many kinds. */
function foldRows(rows: readonly Row[], most: number): readonly Row[] {
  if (rows.length <= most) return rows;
  const kinds = new Set(rows.map(kindOf)).size;
  const together = rows.filter(({ prefix }) => prefix === OTHER);
  const sorted = rows.filter(({ prefix }) => prefix !== OTHER).toSorted((a, b) => b.count - a.count);
  const areKindsKept = kinds < most;
  const named = sorted.slice(0, areKindsKept ? most - kinds : most - 1);
  const others = new Map<string, Row>();
  for (const { count, ...said } of [...sorted.slice(named.length), ...together]) {
    const kept: Counted = areKindsKept ? only(said) : { code: OTHER };
    const row = others.get(kindOf(kept));
    if (row) row.count += count;
    else others.set(kindOf(kept), { ...kept, prefix: OTHER, count });
  }
  return [...named, ...others.values()];
}
