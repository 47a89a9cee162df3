/**
 * How much work one file may cause. What is packed decides how large it becomes, so each step that unpacks asks here
 * first. When the budget is used up, the rest is skipped and the reason is reported.
 */
export interface ScanBounds {
  /** Bytes that decoders may produce for one file. */
  readonly bytesOut: number;
  /** Bytes out of one compressed stream for each byte in. */
  readonly ratio: number;
  readonly entries: number;
  readonly depth: number;
  readonly timeMs: number;
}

export const scanBounds: ScanBounds = {
  bytesOut: 512 * 1024 * 1024,
  ratio: 200,
  entries: 100_000,
  depth: 4,
  timeMs: 120_000,
};

/** A small stream may have any ratio: it cannot become much. */
const SMALL_BYTES = 16 * 1024 * 1024;

export class ScanBudget {
  readonly bounds: ScanBounds;
  readonly #now: () => number;
  readonly #deadlineMs: number;
  readonly #reasons = new Set<string>();
  #bytesLeft: number;
  #entriesLeft: number;

  constructor(bounds: ScanBounds = scanBounds, now: () => number = () => performance.now()) {
    this.bounds = bounds;
    this.#now = now;
    this.#deadlineMs = now() + bounds.timeMs;
    this.#bytesLeft = bounds.bytesOut;
    this.#entriesLeft = bounds.entries;
  }

  /** Why something was skipped, each reason once. */
  get reasons(): readonly string[] {
    return [...this.#reasons];
  }

  skip(reason: string): void {
    this.#reasons.add(reason);
  }

  get isSpent(): boolean {
    if (this.#now() > this.#deadlineMs) this.skip(`the time for one file (${this.bounds.timeMs / 1000} s) is used up`);
    else if (this.#bytesLeft <= 0)
      this.skip(`more than ${this.bounds.bytesOut} decoded bytes: the rest was not scanned`);
    else return false;
    return true;
  }

  /** How many bytes a compressed stream of this size may become. */
  mayUnpack(compressedBytes: number): number {
    return Math.max(0, Math.min(this.#bytesLeft, Math.max(SMALL_BYTES, compressedBytes * this.bounds.ratio)));
  }

  spend(bytes: number): void {
    this.#bytesLeft -= bytes;
  }

  /** Whether one more entry of an archive may be read. */
  takeEntry(): boolean {
    if (--this.#entriesLeft >= 0) return true;
    this.skip(`more than ${this.bounds.entries} entries: the rest was not scanned`);
    return false;
  }
}
