/**
 * Server-sent events (WHATWG HTML, 9.2) for one reader. What comes next is asked for only while the reader takes what was
 * sent: it delays no one and fills no memory. A reader that takes nothing for some seconds while something is pending gets
 * the reason and is disconnected; it can continue where it was. Several times a second it is asked whether the reader still
 * may see it.
 */
import { Problem } from "@sallyport/protocol";
import type { Clock } from "../kernel/clock.ts";

/** What is sent in one turn. */
export interface StreamPart {
  /** Whole events. */
  readonly text: string;
  /** How many of what the stream counts are in it. */
  readonly count: number;
  /** There is more to send at once. */
  readonly isMore: boolean;
}

export interface EventStreamPorts {
  readonly clock: Pick<Clock, "monotonic">;
  readonly wait: (ms: number) => Promise<unknown>;
  /** The first thing that is sent: whole events or a comment. */
  readonly begin: string;
  /** Throws the problem if the reader's permission has ended. */
  readonly demand: () => void;
  /** What comes next; null while there is nothing. */
  readonly next: () => Promise<StreamPart> | StreamPart | null;
  /** Why a reader is disconnected who takes nothing. */
  readonly tooSlow: string;
  /** Why it ends where `next` breaks. */
  readonly broken: string;
  /** Called once, with the sum of the counts. */
  readonly onEnd: (count: number) => void;
}

/** The longest that an event waits for its reader, and the reader's permission for its check. */
export const TURN_MS = 250;
export const HEARTBEAT_MS = 15_000;
export const SLOW_MS = 10_000;
/** Held for a reader; a piece may go beyond it. */
const HELD_BYTES_MAX = 256 * 1024;

export class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #ports: EventStreamPorts;
  readonly #encoder = new TextEncoder();
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #count = 0;
  #saidMs: number;
  /** Since when the reader takes nothing. */
  #fullMs: number | null = null;
  #isOver = false;

  constructor(ports: EventStreamPorts) {
    this.#ports = ports;
    this.#saidMs = ports.clock.monotonic();
    this.body = new ReadableStream<Uint8Array>(
      { start: (controller) => void (this.#controller = controller), cancel: () => this.#finish() },
      new ByteLengthQueuingStrategy({ highWaterMark: HELD_BYTES_MAX }),
    );
    this.#say(ports.begin);
    void this.#run();
  }

  /** What the reader gets. */
  answer(): Response {
    return new Response(this.body, {
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
      },
    });
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
        else this.end("fault", this.#ports.broken);
        return;
      }
      await this.#ports.wait(TURN_MS);
    }
  }

  /** True where there is more to send at once. */
  async #turn(): Promise<boolean> {
    this.#ports.demand();
    const nowMs = this.#ports.clock.monotonic();
    if ((this.#controller.desiredSize ?? 0) <= 0) {
      this.#fullMs ??= nowMs;
      if (nowMs - this.#fullMs >= SLOW_MS) this.#cut();
      return false;
    }
    this.#fullMs = null;
    const next = this.#ports.next();
    const piece = next instanceof Promise ? await next : next;
    if (this.#isOver) return false;
    if (piece === null) {
      if (nowMs - this.#saidMs >= HEARTBEAT_MS) this.#say(": heartbeat\n\n");
      return false;
    }
    if (piece.text !== "") this.#say(piece.text);
    this.#count += piece.count;
    return piece.isMore;
  }

  #say(text: string): void {
    this.#saidMs = this.#ports.clock.monotonic();
    this.#controller.enqueue(this.#encoder.encode(text));
  }

  #cut(): void {
    this.end("too_slow", this.#ports.tooSlow);
    // The reason waits behind what the reader has not taken yet. It has some time for it, then the memory is released.
    void this.#ports.wait(SLOW_MS).then(() => this.#drop());
  }

  #drop(): void {
    try {
      this.#controller.error(new Error("the reader took nothing"));
    } catch {
      // The reader has taken everything: it is closed already.
    }
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ports.onEnd(this.#count);
  }
}
