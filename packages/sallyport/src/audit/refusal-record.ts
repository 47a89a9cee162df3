/**
 * Denials after authentication: one record each up to a rate per key (GCRA: a minute's worth at once, then evenly),
 * beyond that a count, written as one record per key and code with the next flush. So no key can fill the disk.
 */
import { encodeEvent } from "@sallyport/ledger";
import { isProblemCode, problems } from "@sallyport/protocol";
import type { Clock } from "../kernel/clock.ts";
import type { LedgerAppender } from "./recorder.ts";

export interface RefusedRequest {
  readonly key: { readonly environment: string; readonly id: string; readonly owner: string | null };
  /** The owner's team. */
  readonly team: string | null;
  readonly code: string;
  readonly detail?: string;
  readonly endpoint: string | null;
  /** What was demanded, as far as the request was read; of a request that was not read, what its endpoint demands. */
  readonly permissions: readonly string[];
  readonly model: string | null;
  readonly address: string;
  /** First product of the user agent. */
  readonly client: string | null;
  readonly requestId: string;
  /** Arrival, epoch ms. */
  readonly at: number;
}

export interface RefusalRecords {
  record(refused: RefusedRequest): void;
  /** Writes what was only counted since the last flush, `now` in epoch ms. Call once a minute and when closing. */
  flush(now: number): void;
}

export interface RefusalRecordPorts {
  readonly ledger: Pick<LedgerAppender, "append">;
  readonly clock: Pick<Clock, "monotonic">;
  /** Records a minute and key. */
  readonly perMinute?: number;
  /** Keys whose rate is held, and rows counted, in memory; what comes beyond is counted together by environment and code. */
  readonly keysMax?: number;
}

const MINUTE_MS = 60_000;
const PER_MINUTE = 60;
const KEYS_MAX = 4_096;
/** Enough to understand a decision, not enough to store things in the ledger. */
const DETAIL_MAX = 200;
const DECIDED = 403;

interface Row {
  readonly environment: string;
  readonly key: string | null;
  readonly owner: string | null;
  readonly team: string | null;
  readonly code: string;
  count: number;
}

export function makeRefusalRecords({
  ledger,
  clock,
  perMinute = PER_MINUTE,
  keysMax = KEYS_MAX,
}: RefusalRecordPorts): RefusalRecords {
  /** Theoretical arrival time by key, monotonic ms. A key at rest has none. */
  const arrivals = new Map<string, number>();
  let rows = new Map<string, Row>();
  const intervalMs = MINUTE_MS / perMinute;

  function mayRecord(name: string): boolean {
    const nowMs = clock.monotonic();
    const arrivalMs = Math.max(arrivals.get(name) ?? nowMs, nowMs);
    if (arrivalMs + intervalMs - nowMs > MINUTE_MS + 0.0005) return false;
    if (!arrivals.has(name) && arrivals.size >= keysMax) return false;
    arrivals.set(name, arrivalMs + intervalMs);
    return true;
  }

  function add(row: Omit<Row, "count">, count: number): void {
    const name = `${row.environment} ${row.key ?? ""} ${row.code}`;
    const held = rows.get(name);
    if (held) held.count += count;
    else if (rows.size < keysMax || row.key === null) rows.set(name, { ...row, count });
    else add({ ...row, key: null, owner: null, team: null }, count);
  }

  return {
    record(refused) {
      const { environment, id, owner } = refused.key;
      const isWritten = mayRecord(`${environment}/${id}`) && ledger.append(encodeRefused(refused)) !== undefined;
      if (!isWritten) add({ environment, key: id, owner, team: refused.team, code: refused.code }, 1);
    },
    flush(now) {
      const written = rows;
      rows = new Map();
      for (const row of written.values()) {
        if (ledger.append(encodeCoalesced(row, now)) === undefined) add(row, row.count);
      }
      const nowMs = clock.monotonic();
      for (const [name, arrivalMs] of arrivals) if (arrivalMs <= nowMs) arrivals.delete(name);
    },
  };
}

function encodeRefused(refused: RefusedRequest): string {
  const { key, team, code, detail, endpoint, permissions, model, address, client, requestId, at } = refused;
  return encodeEvent({
    type: "request.refused",
    at,
    environment: key.environment,
    actor: `key:${key.id}`,
    fields: {
      request: requestId,
      principal: key.owner,
      team,
      code,
      detail: recordedDetail(code, detail),
      endpoint,
      permissions,
      model,
      address,
      client,
    },
  });
}

/**
 * The detail of a decision names permissions, models and hosts. That of a request which was not understood quotes its
 * text, which may have been a prompt or a key: the caller sees it, the audit log does not.
 */
function recordedDetail(code: string, detail: string | undefined): string | null {
  if (detail === undefined || !isProblemCode(code) || problems[code].status !== DECIDED) return null;
  return detail.slice(0, DETAIL_MAX);
}

function encodeCoalesced({ environment, key, owner, team, code, count }: Row, now: number): string {
  return encodeEvent({
    type: "request.refused_coalesced",
    at: now,
    environment,
    actor: key === null ? "gateway" : `key:${key}`,
    fields: { principal: owner, team, code, count },
  });
}
