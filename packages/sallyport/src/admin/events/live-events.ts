/**
 * What people at the console are shown as it happens: requests that are over, and which kinds of record changed. The
 * newest are kept in memory, so that a reader who was away for a moment goes on where they were. Who may see each is
 * judged for each reader. While no one reads, nothing is kept.
 */
import type { ChangedKind, LiveRequest } from "@sallyport/contract";
import { randomBase62 } from "../../kernel/ids.ts";
import type { Clock } from "../../kernel/clock.ts";

export type LiveEvent = { readonly seq: number } & (
  | { readonly of: "request"; readonly environment: string; readonly request: LiveRequest }
  /** `environment` null = of no single one. */
  | { readonly of: "change"; readonly environment: string | null; readonly kind: ChangedKind }
);

/** Some seconds of a busy gateway, about a megabyte. */
const KEPT = 4_096;
/** How long after the last reader left what happens is still kept for it. */
const KEPT_AFTER_MS = 60_000;

export class LiveEvents {
  /** Events of another start have other numbers. */
  readonly run = randomBase62(8);
  readonly #clock: Pick<Clock, "monotonic">;
  /** By `seq` modulo its length. */
  readonly #kept: LiveEvent[] = [];
  #newest = 0;
  /** What is below it is not kept. */
  #first = 1;
  #readers = 0;
  #leftMs = -Infinity;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Number of the newest one. */
  get newest(): number {
    return this.#newest;
  }

  /** Number of the oldest one that is kept, or that would be. */
  get first(): number {
    return this.#first;
  }

  get isHeard(): boolean {
    return this.#readers > 0 || this.#clock.monotonic() - this.#leftMs < KEPT_AFTER_MS;
  }

  /** A reader comes. Call what it returns when it leaves, once. */
  enter(): () => void {
    // What happened while no one listened is not kept, and no reader may take it for nothing.
    if (!this.isHeard) this.#first = ++this.#newest + 1;
    this.#readers++;
    return () => {
      this.#readers--;
      this.#leftMs = this.#clock.monotonic();
    };
  }

  noteRequest(request: LiveRequest): void {
    if (this.isHeard) this.#keep({ seq: this.#newest + 1, of: "request", environment: request.environment, request });
  }

  noteChange(kind: ChangedKind, environment: string | null): void {
    if (this.isHeard) this.#keep({ seq: this.#newest + 1, of: "change", environment, kind });
  }

  /** Those after that number, in order; what is not kept any more is not among them. */
  *after(seq: number): Generator<LiveEvent> {
    for (let at = Math.max(seq + 1, this.#first); at <= this.#newest; at++) yield this.#kept[at % KEPT]!;
  }

  #keep(event: LiveEvent): void {
    this.#newest = event.seq;
    this.#kept[event.seq % KEPT] = event;
    this.#first = Math.max(this.#first, event.seq - KEPT + 1);
  }
}
