/**
 * Delivers records to one sink. The audit log is the queue: only a cursor (the last accepted number) is stored, so a
 * sink may be down for as long as records are kept, and delays neither the writer nor another sink. Every record is
 * delivered at least once, in order; records that a receiver never accepts go to a dead-letter file.
 */
import type { AuditFilter, AuditPage, AuditRecord } from "../../audit/audit-log.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Delivered, Outgoing, Sink } from "./sink.ts";

export interface DeliveryPorts {
  readonly sink: Sink;
  readonly filter: Pick<AuditFilter, "environments" | "types">;
  readonly outgoing: (record: AuditRecord) => Outgoing;
  readonly read: (filter: AuditFilter) => Promise<AuditPage>;
  /** Number of the newest record on disk. */
  readonly newest: () => number;
  readonly cursor: Cursor;
  readonly deadLetter: (lines: string) => Promise<void>;
  readonly clock: Clock;
  /** Resolves after so long, or when `cancel` is called. */
  readonly pause: (ms: number) => { readonly over: Promise<void>; cancel(): void };
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Retention removed these before they were delivered. Resolves when that is on record. */
  readonly onGap: (first: number, last: number) => Promise<void>;
  readonly onDeadLetter: (uid: string, reason: string) => void;
  readonly onTrouble: (reason: string) => void;
  readonly onRecovery: () => void;
}

/** Where the delivery has got to, durable. */
export interface Cursor {
  /** Null where nothing was delivered yet. */
  read(): Promise<number | null>;
  write(seq: number): Promise<void>;
}

export interface DeliveryFigures {
  readonly lagRecords: number;
  /** How long the oldest record that waits has waited. */
  readonly lagSeconds: number;
  readonly sent: number;
  readonly deadLettered: number;
  /** Attempts that failed. */
  readonly failures: number;
  /** Why the last attempt failed; null while it works. */
  readonly trouble: string | null;
}

export const LOOK_MS = 1_000;
const RETRY_MS = 1_000;
const RETRY_MAX_MS = 5 * 60_000;

export class SinkDelivery {
  readonly #ports: DeliveryPorts;
  #cursor = 0;
  #written = 0;
  #oldestAt: number | null = null;
  #isClosed = false;
  #pause: { cancel(): void } | null = null;
  #trouble: string | null = null;
  #sent = 0;
  #deadLettered = 0;
  #failures = 0;
  readonly #running: Promise<void>;

  constructor(ports: DeliveryPorts) {
    this.#ports = ports;
    this.#running = this.#run();
  }

  figures(): DeliveryFigures {
    const lagRecords = Math.max(0, this.#ports.newest() - this.#cursor);
    const since = lagRecords === 0 ? null : this.#oldestAt;
    return {
      lagRecords,
      lagSeconds: since === null ? 0 : Math.max(0, (this.#ports.clock.now() - since) / 1_000),
      sent: this.#sent,
      deadLettered: this.#deadLettered,
      failures: this.#failures,
      trouble: this.#trouble,
    };
  }

  /** Lets the batch that is under way end, notes the cursor and closes the sink. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pause?.cancel();
    await this.#running;
    await this.#note();
    await this.#ports.sink.close();
  }

  async #run(): Promise<void> {
    const { cursor, newest } = this.#ports;
    // A new sink starts with new records; so does one that is ahead of a restored audit log.
    const begin = async (): Promise<number> => Math.min((await cursor.read()) ?? Infinity, newest());
    const begun = await this.#patiently(begin);
    if (begun === undefined) return;
    this.#cursor = begun;
    this.#written = -1;
    while (!this.#isClosed) {
      if (!this.#isDue()) {
        await this.#note();
        await this.#wait(LOOK_MS);
        continue;
      }
      await this.#sendPage();
    }
  }

  #isDue(): boolean {
    const { newest, sink, clock } = this.#ports;
    const waiting = newest() - this.#cursor;
    if (waiting <= 0) {
      this.#oldestAt = null;
      return false;
    }
    this.#oldestAt ??= clock.now();
    return waiting >= sink.batch.records || clock.now() - this.#oldestAt >= sink.batch.lingerMs;
  }

  async #sendPage(): Promise<void> {
    const { filter, sink, outgoing } = this.#ports;
    const asked = { ...filter, after: this.#cursor, limit: sink.batch.records, order: "oldest" } as const;
    const page = await this.#patiently(() => this.#ports.read(asked));
    if (!page) return;
    const first = page.records[0];
    // Retention may have run while the page was read: what was read of it is no gap.
    if (page.first > this.#cursor + 1 && (first?.seq ?? Infinity) >= page.first) {
      if (!(await this.#tellGap(this.#cursor + 1, page.first - 1))) return;
      this.#cursor = page.first - 1;
    }
    if (first) {
      this.#oldestAt = first.at;
      await this.#deliver(page.records.map(outgoing));
    }
    if (this.#isClosed && this.#trouble !== null) return;
    this.#cursor = Math.max(this.#cursor, page.through);
    this.#oldestAt = null;
    await this.#note();
  }

  /** True when it is on record. */
  async #tellGap(first: number, last: number): Promise<boolean> {
    const isTold = await this.#patiently(async () => {
      await this.#ports.onGap(first, last);
      return true;
    });
    return isTold === true;
  }

  /** Until it is taken or given up, or the program stops: then it comes again after the next start. */
  async #deliver(batch: readonly Outgoing[]): Promise<void> {
    const result = await this.#patiently(async () => {
      const delivered = await this.#ports.sink.send(batch);
      if (delivered.kind === "later") throw new Error(delivered.reason);
      return delivered;
    });
    if (!result) return;
    if (result.kind === "taken") this.#sent += batch.length;
    else await this.#giveUp(batch, result);
  }

  /** One record that is not accepted does not take the others with it: the batch is halved until it stands alone. */
  async #giveUp(batch: readonly Outgoing[], { reason }: Extract<Delivered, { kind: "refused" }>): Promise<void> {
    this.#failures++;
    if (batch.length > 1) {
      const half = batch.length >> 1;
      await this.#deliver(batch.slice(0, half));
      if (!this.#isStopping()) await this.#deliver(batch.slice(half));
      return;
    }
    for (const { uid, text } of batch) {
      const letter = `${JSON.stringify({ uid, at: new Date(this.#ports.clock.now()).toISOString(), reason, body: text })}\n`;
      await this.#patiently(() => this.#ports.deadLetter(letter));
      this.#deadLettered++;
      this.#ports.onDeadLetter(uid, reason);
    }
  }

  #isStopping(): boolean {
    return this.#isClosed && this.#trouble !== null;
  }

  /** Tries until it works, waiting longer each time (and not all sinks at the same moment); undefined when it stops first. */
  async #patiently<T>(work: () => Promise<T>): Promise<T | undefined> {
    for (let attempt = 0; ; attempt++) {
      try {
        const value = await work();
        if (this.#trouble !== null) this.#ports.onRecovery();
        this.#trouble = null;
        return value;
      } catch (cause) {
        this.#failures++;
        const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
        if (this.#trouble === null) this.#ports.onTrouble(reason);
        this.#trouble = reason;
      }
      if (this.#isClosed) return undefined;
      const most = Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** Math.min(attempt, 20));
      await this.#wait(most / 2 + (most / 2) * this.#ports.random());
      if (this.#isClosed) return undefined;
    }
  }

  /** What is not noted is delivered again after a kill: receivers know it by its uid. */
  async #note(): Promise<void> {
    if (this.#cursor === this.#written) return;
    const seq = this.#cursor;
    try {
      await this.#ports.cursor.write(seq);
      this.#written = seq;
    } catch (cause) {
      this.#failures++;
      this.#ports.onTrouble(`the cursor cannot be noted: ${String(cause)}`);
    }
  }

  async #wait(ms: number): Promise<void> {
    if (this.#isClosed) return;
    const pause = this.#ports.pause(ms);
    this.#pause = pause;
    await pause.over;
    this.#pause = null;
  }
}
