/**
 * What a detection at each row of one file is worth, before a profile weighs it: NAB's scoring function (Lavin and Ahmad
 * 2015; `nab/sweeper.py`). Within a window the earlier the better, from 1 down to 0; outside -1, less right after a window.
 */
export interface Rewards {
  /** Per row: 0 to 1 within a window, -1 to 0 outside. */
  readonly worth: readonly number[];
  /** Per row: index of its window, -1 outside of all. */
  readonly windowOf: readonly number[];
  readonly windowCount: number;
  /** Rows before this one are for learning and are not scored. */
  readonly firstScored: number;
}

/** First and last time of a labelled anomaly, ms, both within it. */
export type Window = readonly [fromMs: number, toMs: number];

const LEARNING_SHARE = 0.15;
const LEARNING_ROWS_MAX = 0.15 * 5_000;

/** Rows a detector may learn from unscored. */
export function learningRows(rows: number): number {
  return Math.min(Math.floor(LEARNING_SHARE * rows), LEARNING_ROWS_MAX);
}

export function rewardsOf(timesMs: readonly number[], windows: readonly Window[]): Rewards {
  const worth: number[] = [];
  const windowOf: number[] = [];
  let opened = -1;
  let inside: { readonly right: number; readonly width: number } | undefined;
  let before: { readonly right: number; readonly width: number } | undefined;
  for (const [row, time] of timesMs.entries()) {
    const next = windows[opened + 1];
    if (next && time === next[0]) {
      opened++;
      const right = timesMs.indexOf(next[1]);
      inside = { right, width: right - timesMs.indexOf(next[0]) + 1 };
    }
    windowOf.push(inside ? opened : -1);
    if (inside) worth.push(scaledSigmoid(-(inside.right - row + 1) / inside.width) / scaledSigmoid(-1));
    else worth.push(before ? scaledSigmoid(Math.abs(before.right - row) / (before.width - 1)) : -1);
    if (inside && time === windows[opened]?.[1]) {
      before = { right: row, width: inside.width };
      inside = undefined;
    }
  }
  return { worth, windowOf, windowCount: windows.length, firstScored: learningRows(timesMs.length) };
}

/** `position`: -1 is a window's left edge, 0 its right one, 1 a whole width behind it. */
function scaledSigmoid(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}
