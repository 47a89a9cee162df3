/**
 * Who reads the ledger is in the ledger: the first read of a filter is recorded before it is answered, and what the same
 * reader asks with the same filter within a minute is counted and recorded as one. Pages of one search are one filter.
 */
import type { Clock } from "../kernel/clock.ts";
import type { LedgerEvent } from "../audit/event.ts";
import type { AskedFilter, AuditScope } from "./audit-scope.ts";
import { addressField } from "./call.ts";
import type { AdminPorts } from "./ports.ts";

export interface AuditReading {
  readonly actor: string;
  /** Where he asked from; null on this machine. */
  readonly address: string | null;
  readonly how: "search" | "tail" | "export";
  readonly asked: AskedFilter;
  readonly scope: AuditScope;
  /** Records that were given out. */
  readonly count: number;
}

interface Coalesced {
  readonly reading: AuditReading;
  readonly sinceMs: number;
  reads: number;
  records: number;
}

const MINUTE_MS = 60_000;
/** Filters that are counted at the same time; beyond that all are written down and counting begins anew. */
const ROWS_MAX = 256;

export class AuditReads {
  readonly #clock: Clock;
  readonly #changes: AdminPorts["changes"];
  readonly #rows = new Map<string, Coalesced>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ clock, changes }: { readonly clock: Clock; readonly changes: AdminPorts["changes"] }) {
    this.#clock = clock;
    this.#changes = changes;
  }

  /** Rejects with `store_unavailable` where it cannot be recorded: then nothing is given out. */
  async note(reading: AuditReading): Promise<void> {
    const name = JSON.stringify([reading.actor, reading.address, reading.how, textOf(reading)]);
    await this.flush(this.#rows.size >= ROWS_MAX ? Infinity : this.#clock.monotonic() - MINUTE_MS);
    const row = this.#rows.get(name);
    if (row) {
      row.reads++;
      row.records += reading.count;
      return;
    }
    await this.#write(reading, 1, reading.count);
    this.#rows.set(name, { reading, sinceMs: this.#clock.monotonic(), reads: 0, records: 0 });
    this.#flushLater();
  }

  /** One reading that is recorded by itself: a tail's beginning and its end. */
  noteAlone(reading: AuditReading): Promise<void> {
    return this.#write(reading, 1, reading.count);
  }

  /** Writes down what was counted since before `untilMs` (monotonic); all unless given. Never rejects. */
  async flush(untilMs = Infinity): Promise<void> {
    const due = [...this.#rows].filter(([, { sinceMs }]) => sinceMs <= untilMs);
    for (const [name, { reading, reads, records }] of due) {
      this.#rows.delete(name);
      // The reads themselves were recorded when they began; what is lost here is how often.
      if (reads > 0) await this.#write(reading, reads, records).catch(() => undefined);
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

  async #write(reading: AuditReading, reads: number, records: number): Promise<void> {
    const event: LedgerEvent = {
      type: "audit.read",
      at: this.#clock.now(),
      environment: reading.scope.environment ?? "system",
      actor: reading.actor,
      fields: { how: reading.how, filter: textOf(reading), reads, records, ...addressField(reading) },
    };
    await this.#changes.inTurn(() => this.#changes.change({ operations: [], events: [event] }));
  }
}

/** `environments=dev,prod key=…`: without the place in a list, so that pages are one. */
function textOf({ asked, scope }: AuditReading): string {
  const { after: _after, before: _before, ...rest } = asked;
  const parts = Object.entries({ ...scope, ...rest }).map(([name, value]) => `${name}=${String(value)}`);
  return parts.toSorted().join(" ");
}
