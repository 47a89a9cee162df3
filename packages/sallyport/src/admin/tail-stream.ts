/**
 * One reader of the audit log. Pages are read for it only while it takes what was sent: it delays no one and fills no
 * memory. A reader that takes nothing for some seconds while records are pending gets the reason and is disconnected; it can
 * continue where it was.
 */
import { Problem } from "@sallyport/protocol";
import type { AuditPage } from "../audit/audit-log.ts";
import type { Clock } from "../kernel/clock.ts";
import { isoTime } from "./views.ts";

export interface TailPorts {
  readonly clock: Pick<Clock, "monotonic">;
  readonly wait: (ms: number) => Promise<unknown>;
  /** Number of the newest record on disk. */
  readonly newest: () => number;
  /** A page of what the reader may see. Throws the problem if its permission has ended. */
  readonly read: (page: { after: number; limit: number; order: "oldest" }) => Promise<AuditPage>;
  readonly demand: () => void;
  readonly after: number;
  /** Called once, with the number of records that were sent. */
  readonly onEnd: (count: number) => void;
}

/** The longest that a record waits for its reader, and the reader's permission for its check. */
export const TURN_MS = 250;
export const HEARTBEAT_MS = 15_000;
export const SLOW_MS = 10_000;
export const PAGE_RECORDS = 200;
/** Held for a listener; a page may go beyond it. */
const HELD_BYTES_MAX = 256 * 1024;

export class TailStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #ports: TailPorts;
  readonly #encoder = new TextEncoder();
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #cursor: number;
  #count = 0;
  #saidMs: number;
  /** Since when the listener takes nothing. */
  #fullMs: number | null = null;
  #isOver = false;

  constructor(ports: TailPorts) {
    this.#ports = ports;
    this.#cursor = ports.after;
    this.#saidMs = ports.clock.monotonic();
    this.body = new ReadableStream<Uint8Array>(
      { start: (controller) => void (this.#controller = controller), cancel: () => this.#finish() },
      new ByteLengthQueuingStrategy({ highWaterMark: HELD_BYTES_MAX }),
    );
    this.#say(": audit records as they are written\n\n");
    void this.#run();
  }

  /** Sends the reason, and closes. */
  end(code: string, says: string): void {
    if (this.#isOver) return;
    this.#say(`event: end\ndata: ${JSON.stringify({ code, says })}\n\n`);
    this.#controller.close();
    this.#finish();
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      try {
        if (await this.#turn()) continue;
      } catch (cause) {
        if (cause instanceof Problem) this.end(cause.code, cause.message);
        else this.end("fault", "the audit log could not be read");
        return;
      }
      await this.#ports.wait(TURN_MS);
    }
  }

  /** True where there is more to send at once. */
  async #turn(): Promise<boolean> {
    this.#ports.demand();
    const nowMs = this.#ports.clock.monotonic();
    const isBehind = this.#ports.newest() > this.#cursor;
    if ((this.#controller.desiredSize ?? 0) <= 0) {
      this.#fullMs ??= nowMs;
      if (nowMs - this.#fullMs >= SLOW_MS) this.#cut();
      return false;
    }
    this.#fullMs = null;
    if (!isBehind) {
      if (nowMs - this.#saidMs >= HEARTBEAT_MS) this.#say(": heartbeat\n\n");
      return false;
    }
    return this.#sendPage();
  }

  async #sendPage(): Promise<boolean> {
    const page = await this.#ports.read({ after: this.#cursor, limit: PAGE_RECORDS, order: "oldest" });
    if (this.#isOver) return false;
    if (page.first > this.#cursor + 1 && this.#cursor > 0)
      this.#say(`event: gap\ndata: ${JSON.stringify({ after: this.#cursor, first: page.first })}\n\n`);
    for (const record of page.records)
      this.#say(`id: ${record.seq}\ndata: ${JSON.stringify({ ...record, at: isoTime(record.at) })}\n\n`);
    this.#count += page.records.length;
    this.#cursor = Math.max(this.#cursor, page.through);
    return page.records.length >= PAGE_RECORDS;
  }

  #say(text: string): void {
    this.#saidMs = this.#ports.clock.monotonic();
    this.#controller.enqueue(this.#encoder.encode(text));
  }

  #cut(): void {
    this.end("too_slow", "records came faster than they were taken; Last-Event-ID goes on here");
    // The reason waits behind what the reader has not taken yet. It has some time for it, then the memory is released.
    void this.#ports.wait(SLOW_MS).then(() => this.#drop());
  }

  #drop(): void {
    try {
      this.#controller.error(new Error("the listener took nothing"));
    } catch {
      // He has taken everything: it is closed already.
    }
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ports.onEnd(this.#count);
  }
}
