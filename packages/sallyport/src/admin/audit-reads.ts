/**
 * Reads of the audit log are recorded in it: the first read of a filter before it is answered, and what the same reader asks
 * with the same filter within a minute as one count. Pages of one search are one filter. A reader who asks with many filters
 * in a minute gets a record for each of the first, then one for all the others: reading must not fill the audit log.
 */
import type { EnvironmentName } from "@sallyport/protocol";
import type { AuditFilter } from "../audit/audit-log.ts";
import type { Clock } from "../kernel/clock.ts";
import { gcra } from "../limits/gcra.ts";
import type { LedgerEvent } from "../audit/event.ts";
import type { Changes } from "../changes/change.ts";

export type AuditScope = Pick<AuditFilter, "environments"> & {
  /** Known to exist: reads are recorded in its log. */
  readonly environment?: EnvironmentName;
};
export type AskedFilter = Omit<AuditFilter, keyof AuditScope | "types" | "limit" | "order">;

export interface AuditReading {
  readonly actor: string;
  /** The reader's address; null on the gateway host. */
  readonly address: string | null;
  readonly how: "search" | "tail" | "export";
  readonly asked: AskedFilter;
  readonly scope: AuditScope;
  /** Records that were given out. */
  readonly count: number;
}

interface Coalesced {
  readonly reading: AuditReading;
  readonly filter: string;
  readonly sinceMs: number;
  reads: number;
  records: number;
}

const MINUTE_MS = 60_000;
/** Records a minute of one reader, and those of a day: ordinary work reads with a few filters. */
const SINGLE_PER_MINUTE = 10;
const SINGLE_PER_DAY = 500;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Written in the place of a filter's text where there were too many to name. */
const MANY = "(many filters)";
/** A filter's text in a record, truncated if it is long. */
const FILTER_LENGTH_MAX = 400;
/** Readers who are counted at the same time: beyond that counting begins again for all of them. */
const READERS_MAX = 1_024;

export class AuditReads {
  readonly #clock: Clock;
  readonly #changes: Changes;
  readonly #rows = new Map<string, Coalesced>();
  /** By reader: how far their single records are ahead of each rate (GCRA). */
  readonly #singles = new Map<string, { minute: number; day: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ clock, changes }: { readonly clock: Clock; readonly changes: Changes }) {
    this.#clock = clock;
    this.#changes = changes;
  }

  /** Rejects with `store_unavailable` where it cannot be recorded: then nothing is given out. */
  async note(reading: AuditReading): Promise<void> {
    const filter = textOf(reading);
    const name = JSON.stringify([reading.actor, reading.address, reading.how, filter]);
    await this.flush(this.#clock.monotonic() - MINUTE_MS);
    if (this.#count(name, reading)) return;
    if (this.#takeSingle(reading.actor)) return this.#begin(name, reading, filter);
    const together = JSON.stringify([reading.actor, reading.how, reading.scope.environment ?? null, MANY]);
    if (!this.#count(together, reading)) await this.#begin(together, reading, MANY);
  }

  /** A tail's beginning and its end are recorded by themselves, up to the same rate. */
  noteTail(reading: AuditReading): Promise<void> {
    return this.#takeSingle(reading.actor)
      ? this.#write(reading, textOf(reading), 1, reading.count)
      : this.note(reading);
  }

  #count(name: string, { count }: AuditReading): boolean {
    const row = this.#rows.get(name);
    if (!row) return false;
    row.reads++;
    row.records += count;
    return true;
  }

  async #begin(name: string, reading: AuditReading, filter: string): Promise<void> {
    await this.#write(reading, filter, 1, reading.count);
    // Another call of the same name may have been recorded meanwhile: its count goes on.
    if (!this.#rows.has(name))
      this.#rows.set(name, { reading, filter, sinceMs: this.#clock.monotonic(), reads: 0, records: 0 });
    this.#flushLater();
  }

  #takeSingle(reader: string): boolean {
    const nowMs = this.#clock.monotonic();
    const held = this.#singles.get(reader);
    const minute = gcra(held?.minute ?? -Infinity, nowMs, SINGLE_PER_MINUTE, MINUTE_MS);
    const day = gcra(held?.day ?? -Infinity, nowMs, SINGLE_PER_DAY, DAY_MS);
    if (!minute.isAllowed || !day.isAllowed) return false;
    if (!held && this.#singles.size >= READERS_MAX) this.#singles.clear();
    this.#singles.set(reader, { minute: minute.arrivalMs, day: day.arrivalMs });
    return true;
  }

  /** Writes down what was counted since before `untilMs` (monotonic); all unless given. Never rejects. */
  async flush(untilMs = Infinity): Promise<void> {
    const due = [...this.#rows].filter(([, { sinceMs }]) => sinceMs <= untilMs);
    for (const [name, { reading, filter, reads, records }] of due) {
      this.#rows.delete(name);
      // The reads themselves were recorded when they began; what is lost here is how often.
      if (reads > 0) await this.#write(reading, filter, reads, records).catch(() => undefined);
    }
  }

  #flushLater(): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const flushed = this.flush(this.#clock.monotonic() - MINUTE_MS);
      void flushed.then(() => this.#rows.size > 0 && this.#flushLater());
    }, MINUTE_MS).unref();
  }

  async #write(reading: AuditReading, filter: string, reads: number, records: number): Promise<void> {
    const event: LedgerEvent = {
      type: "audit.read",
      at: this.#clock.now(),
      environment: reading.scope.environment ?? "system",
      actor: reading.actor,
      fields: {
        how: reading.how,
        filter,
        reads,
        records,
        ...(reading.address === null ? {} : { address: reading.address }),
      },
    };
    await this.#changes.inTurn(() => this.#changes.change({ operations: [], events: [event] }));
  }
}

/** `environments=dev,prod key=…`: without the place in a list, so that pages are one. */
function textOf({ asked, scope }: AuditReading): string {
  const { after: _after, before: _before, ...rest } = asked;
  const parts = Object.entries({ ...scope, ...rest }).map(([name, value]) => `${name}=${String(value)}`);
  const text = parts.toSorted().join(" ");
  return text.length > FILTER_LENGTH_MAX ? `${text.slice(0, FILTER_LENGTH_MAX)}…` : text;
}
