/** Requests by the hour, or by what gives a picture of a readable width, each address apart; and the moments that matter. */
import type { LedgerRadius } from "../../../incident/blast-radius.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const WIDTHS_MS = [
  MINUTE_MS,
  5 * MINUTE_MS,
  15 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  24 * HOUR_MS,
  7 * 24 * HOUR_MS,
  28 * 24 * HOUR_MS,
];
const BUCKETS_WANTED = 180;
const BUCKETS_MAX = 400;
const ADDRESSES_PER_BUCKET = 24;
const MARKS_MAX = 80;

interface Bucket {
  readonly addresses: Map<string, number>;
  others: number;
  refused: number;
}

export class Timeline {
  readonly #buckets = new Map<number, Bucket>();
  readonly #marks: { at: string; kind: string; says: string }[] = [];
  readonly #widthMs: number;

  /** Epoch ms. */
  constructor(since: number, until: number) {
    const span = Math.max(0, until - since);
    this.#widthMs = WIDTHS_MS.find((width) => span / width <= BUCKETS_WANTED) ?? Math.ceil(span / BUCKETS_WANTED);
  }

  use(at: number, address: string, isRefused: boolean): void {
    const start = Math.floor(at / this.#widthMs) * this.#widthMs;
    let bucket = this.#buckets.get(start);
    if (!bucket) {
      // Only clocks that were set far back or on make more.
      if (this.#buckets.size >= BUCKETS_MAX) return;
      bucket = { addresses: new Map(), others: 0, refused: 0 };
      this.#buckets.set(start, bucket);
    }
    if (isRefused) bucket.refused++;
    const held = bucket.addresses.get(address);
    if (held === undefined && bucket.addresses.size >= ADDRESSES_PER_BUCKET) bucket.others++;
    else bucket.addresses.set(address, (held ?? 0) + 1);
  }

  mark(at: number, kind: string, says: string): void {
    if (this.#marks.length < MARKS_MAX) this.#marks.push({ at: new Date(at).toISOString(), kind, says });
  }

  result(): LedgerRadius["timeline"] {
    const buckets = [...this.#buckets].sort(([a], [b]) => a - b);
    return {
      bucketMs: this.#widthMs,
      buckets: buckets.map(([at, { addresses, others, refused }]) => ({
        at: new Date(at).toISOString(),
        refused,
        addresses: [...addresses].map(([address, count]) => ({ address, count })),
        others,
      })),
      marks: this.#marks,
    };
  }
}
