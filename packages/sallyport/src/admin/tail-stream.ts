/**
 * One listener of the ledger. It is read for him page by page, and only while he takes what was sent: he holds up nobody
 * and fills no memory. Who takes nothing for some seconds while there is more is told so and cut; he can go on where he was.
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
  /** A page of what the listener may see. Throws the problem when his right has ended. */
  readonly read: (page: { after: number; limit: number; order: "oldest" }) => Promise<AuditPage>;
  readonly demand: () => void;
  readonly after: number;
  /** Called once, with the number of records that were sent. */
  readonly onEnd: (count: number) => void;
}

/** The longest a record waits for its listener, and his right for being looked at. */
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
    this.#say(": the ledger, as it goes on\n\n");
    void this.#run();
  }

  /** Tells why, and closes. */
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
    // The word waits behind what he has not taken. He has a while for it, then the memory is given back.
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
