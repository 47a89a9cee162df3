/** How far out a value lies among all before it: the empirical two-sided tail over equal cells of a known range. */
export interface Rank {
  readonly counts: number[];
  total: number;
}

const CELLS = 64;
const TOTAL_MAX = 32_768;

export function newRank(): Rank {
  return { counts: Array.from({ length: CELLS }, () => 0), total: 0 };
}

/** -ln of the smaller tail's share, nats; counts the value. `share` is the place in the range, 0 to 1. */
export function rankSurprise(rank: Rank, share: number): number {
  const { counts } = rank;
  const cell = cellOf(share, CELLS);
  let below = 0;
  for (let at = 0; at <= cell; at++) below += counts[at]!;
  const above = rank.total - below + counts[cell]!;
  const surprise = -Math.log((Math.min(below, above) + 0.5) / (rank.total + 1));
  counts[cell]! += 1;
  rank.total++;
  if (rank.total >= TOTAL_MAX) {
    rank.total = 0;
    for (let at = 0; at < CELLS; at++) rank.total += counts[at] = Math.ceil(counts[at]! / 2);
  }
  return surprise;
}

/** Which of `cells` equal parts of 0 to 1; what lies outside belongs to the outermost. */
export function cellOf(share: number, cells: number): number {
  return Math.min(cells - 1, Math.max(0, Math.floor(share * cells)));
}
