/** The series detector over every file of the benchmark, each from nothing, with one set of constants. */
import { newSeries, readValue } from "../../anomaly/series/series-detector.ts";
import { PROFILES } from "./benchmark.ts";
import type { Benchmark, ProfileScores } from "./benchmark.ts";
import { bestOutcome, normalised, rawAt } from "./score.ts";
import type { Scored } from "./score.ts";
import type { BenchmarkSeries } from "./series-file.ts";

/** One score a row, 0 to 1. A file's smallest and largest value are known, as the benchmark gives them to every detector. */
export function detect({ timesMs, values }: BenchmarkSeries): number[] {
  const range = { min: Infinity, max: -Infinity };
  for (const value of values) {
    range.min = Math.min(range.min, value);
    range.max = Math.max(range.max, value);
  }
  const series = newSeries(range);
  return values.map((value, row) => 1 - Math.exp(-readValue(series, timesMs[row] ?? 0, value).alarm));
}

export function detectAll({ files }: Benchmark): Scored[] {
  return files.map(({ series, rewards }) => ({ rewards, scores: detect(series) }));
}

/** The benchmark's figures: the best threshold of each profile, one for all files. */
export function scoreAll({ weights }: Benchmark, files: readonly Scored[]): ProfileScores {
  const scores = PROFILES.map((profile) => {
    const { raw } = bestOutcome(files, weights[profile]);
    return [profile, normalised(raw, files, weights[profile])];
  });
  return Object.fromEntries(scores) as ProfileScores;
}

/** The same at thresholds that were chosen elsewhere. */
export function scoreAllAt({ weights }: Benchmark, files: readonly Scored[], thresholds: ProfileScores): ProfileScores {
  const scores = PROFILES.map((profile) => {
    const raw = rawAt(files, weights[profile], thresholds[profile]);
    return [profile, normalised(raw, files, weights[profile])];
  });
  return Object.fromEntries(scores) as ProfileScores;
}
