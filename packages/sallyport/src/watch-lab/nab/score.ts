/**
 * The benchmark's score: one threshold for all files, the one that scores best under the profile (`nab/optimizer.py`), and
 * the score at it on a scale from 0 (detects nothing) to 100 (finds every window at its first row and alarms nowhere else).
 */
import type { Rewards } from "./reward.ts";

/** What a profile of `config/profiles.json` says of the four outcomes. */
export interface Weights {
  readonly tpWeight: number;
  readonly fpWeight: number;
  readonly fnWeight: number;
}

/** One file: what detections are worth, and the scores a detector gave, row by row. */
export interface Scored {
  readonly rewards: Rewards;
  readonly scores: readonly number[];
}

export interface NabOutcome {
  /** Rows that score at least this are detections. */
  readonly threshold: number;
  /** Sum over all windows and false alarms, in the profile's weights. */
  readonly raw: number;
}

/** The best threshold, found by lowering it from the highest score; of two equal ones, the higher. */
export function bestOutcome(files: readonly Scored[], weights: Weights): NabOutcome {
  const points = files.flatMap(({ rewards, scores }, file) =>
    scores
      .map((score, row) => ({ score, file, window: rewards.windowOf[row] ?? -1, worth: rewards.worth[row] ?? 0 }))
      .slice(Math.ceil(rewards.firstScored)),
  );
  points.sort((a, b) => b.score - a.score);
  /** Best worth so far of each window that has a scored row. */
  const found = new Map<string, number>();
  for (const { file, window } of points) if (window >= 0) found.set(`${file} ${window}`, -weights.fnWeight);
  let raw = -weights.fnWeight * found.size;
  let best: NabOutcome = { threshold: Infinity, raw };
  points.forEach(({ score, file, window, worth }, at) => {
    if (window < 0) raw += worth * weights.fpWeight;
    else {
      const name = `${file} ${window}`;
      const before = found.get(name) ?? 0;
      const now = Math.max(before, worth * weights.tpWeight);
      found.set(name, now);
      raw += now - before;
    }
    // Rows of one score are detected together.
    if (points[at + 1]?.score !== score && raw > best.raw) best = { threshold: score, raw };
  });
  return best;
}

/** The sum over all windows and false alarms at a given threshold. */
export function rawAt(files: readonly Scored[], weights: Weights, threshold: number): number {
  let raw = 0;
  for (const { rewards, scores } of files) {
    const found = new Map<number, number>();
    for (let row = Math.ceil(rewards.firstScored); row < scores.length; row++) {
      const window = rewards.windowOf[row] ?? -1;
      const worth = rewards.worth[row] ?? 0;
      const isDetected = (scores[row] ?? 0) >= threshold;
      if (window < 0) raw += isDetected ? worth * weights.fpWeight : 0;
      else
        found.set(
          window,
          Math.max(found.get(window) ?? -weights.fnWeight, isDetected ? worth * weights.tpWeight : -Infinity),
        );
    }
    for (const worth of found.values()) raw += worth;
  }
  return raw;
}

/** On the scale of 0 (detects nothing) to 100 (perfect); below 0 where false alarms cost more than was found. */
export function normalised(raw: number, files: readonly Scored[], weights: Weights): number {
  const nothing = rawAt(files, weights, Infinity);
  const perfect = weights.tpWeight * files.reduce((sum, { rewards }) => sum + rewards.windowCount, 0);
  return (100 * (raw - nothing)) / (perfect - nothing);
}
