/**
 * What is known about one key, in one row of numbers: a few hundred words that never grow. Rows are stored in blocks,
 * so that a key needs no separate objects and a block's bytes are its snapshot.
 */

/** How much each small set holds. */
export const SLOTS = { network: 16, block: 12, client: 8, model: 8, endpoint: 8 } as const;
export type Dimension = keyof typeof SLOTS;
export const DIMENSIONS = Object.keys(SLOTS) as readonly Dimension[];

export const METRICS = ["requests", "input", "output", "refused"] as const;
export const SCALES_S = [300, 3_600] as const;
export const BREADTHS = ["networks", "models", "sizes"] as const;
export const SLOW_DAYS = 56;
export const SLOW_METRICS = 2;
export const REGISTERS = 64;
export const RECENT = 16;
export const FACTORS = 14;

let words = 0;
const take = (count: number): number => (words += count) - count;

/** Offsets in words. A time is in seconds. */
export const ROW = {
  /** First and last event, start of the present hour and day (in hours, in days). */
  first: take(1),
  last: take(1),
  hour: take(1),
  day: take(1),
  /** Days with events, fading; and of each dimension the new values in them. */
  days: take(1),
  novelties: take(5),
  /** Of each set slot: hash, last seen, uses. */
  sets: take(3 * (SLOTS.network + SLOTS.block + SLOTS.client + SLOTS.model + SLOTS.endpoint)),
  /** Of each scale the window; of each scale and metric: sum, weight, mean, variance, limit. */
  windows: take(2),
  meters: take(2 * 4 * 5),
  cusum: take(2),
  /** Visits and level of the hours of the week, a byte each. */
  visits: take(42),
  levels: take(42),
  /** Events of the present hour; weeks are counted from `first`. */
  inHour: take(1),
  /** Breadths of the hour: registers, then weight, mean, variance. */
  registers: take((3 * REGISTERS) / 4),
  breadths: take(3 * 3),
  /** Order of calls: the two symbols before, surprise now, its weight, mean, variance, and the key's own counts. */
  before: take(2),
  surprise: take(4),
  calls: take(16),
  /** Networks: present, the one before, switches back in the last while, days with such, day of the last. */
  present: take(1),
  previous: take(1),
  previousAt: take(1),
  returns: take(1),
  returnsAt: take(1),
  returnDays: take(1),
  returnDay: take(1),
  newNetwork: take(1),
  newNetworkAt: take(1),
  newNetworkP: take(1),
  /** Events from it, and of earlier new networks: weight, mean, variance of the logarithm. */
  newcomers: take(4),
  /** Events from elsewhere since it was new. */
  elsewhere: take(1),
  /** The newest program, likewise. */
  newClient: take(1),
  newClientAt: take(1),
  newClientP: take(1),
  /** Shapes of the last requests, the share of repeats, repeats and requests of the hour. */
  shapes: take(8),
  shapeNext: take(1),
  repeatShare: take(1),
  repeats: take(1),
  /** What was denied recently: what and when. */
  denied: take(2 * RECENT),
  deniedNext: take(1),
  /** Most different kinds of denied requests within a while: of earlier days, fading, and of this one. */
  deniedMost: take(1),
  deniedToday: take(1),
  /** How unlikely the hours of the last half day were: sum of logarithms, number, when. */
  odd: take(3),
  replayedAt: take(1),
  replayed: take(1),
  /** When models were listed, and when a model was new. */
  listedAt: take(1),
  newModelAt: take(1),
  /** Today's totals; a ring of whole days by the calendar, the logarithms of both in one word. */
  dayTotals: take(SLOW_METRICS),
  slowRing: take(SLOW_DAYS),
  rampAt: take(1),
  /** Of each factor: -log10 p, and when. */
  factors: take(2 * FACTORS),
  /** Highest score of the hour; what feedback and earlier alerts add to the bar; when that was. */
  hourScore: take(1),
  bar: take(1),
  barAt: take(1),
  loosened: take(5),
  alertAt: take(1),
  alertKind: take(1),
  alertScore: take(1),
  peer: take(1),
} as const;
export const ROW_WORDS = words;

const ROWS_A_BLOCK = 64;

export interface RowBlock {
  readonly words: Uint32Array;
  readonly floats: Float32Array;
  readonly bytes: Uint8Array;
}

export interface Row {
  readonly block: RowBlock;
  /** Offset of its first word. */
  readonly at: number;
}

export class Rows {
  readonly #blocks: RowBlock[] = [];
  #next = 0;
  readonly #free: number[] = [];

  /** A row of zeros, and its place. */
  take(): number {
    return this.#free.pop() ?? this.#next++;
  }

  give(place: number): void {
    const { block, at } = this.row(place);
    block.words.fill(0, at, at + ROW_WORDS);
    this.#free.push(place);
  }

  row(place: number): Row {
    const number = Math.floor(place / ROWS_A_BLOCK);
    const block = (this.#blocks[number] ??= newBlock());
    return { block, at: (place % ROWS_A_BLOCK) * ROW_WORDS };
  }

  bytesOf(place: number): Uint8Array {
    const { block, at } = this.row(place);
    return block.bytes.slice(at * 4, (at + ROW_WORDS) * 4);
  }

  put(place: number, bytes: Uint8Array): void {
    const { block, at } = this.row(place);
    block.bytes.set(bytes, at * 4);
  }
}

function newBlock(): RowBlock {
  const buffer = new ArrayBuffer(ROWS_A_BLOCK * ROW_WORDS * 4);
  return { words: new Uint32Array(buffer), floats: new Float32Array(buffer), bytes: new Uint8Array(buffer) };
}
