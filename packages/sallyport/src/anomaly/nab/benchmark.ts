/** A copy of the Numenta Anomaly Benchmark (github.com/numenta/NAB) on this disk, opened and checked as a whole. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { rewardsOf } from "./reward.ts";
import type { Rewards } from "./reward.ts";
import type { Scored, Weights } from "./score.ts";
import { readSeries, readStoredScores, timeMs } from "./series-file.ts";
import type { Series } from "./series-file.ts";

export const PROFILES = ["standard", "reward_low_FP_rate", "reward_low_FN_rate"] as const;
export type ProfileName = (typeof PROFILES)[number];
export type ProfileScores = Readonly<Record<ProfileName, number>>;

export interface BenchmarkFile {
  /** Below `data/`: `realTweets/Twitter_volume_FB.csv`. */
  readonly name: string;
  readonly series: Series;
  readonly rewards: Rewards;
}

export interface Benchmark {
  readonly directory: string;
  readonly files: readonly BenchmarkFile[];
  readonly weights: Readonly<Record<ProfileName, Weights>>;
}

/** Throws an Error that names the first thing the directory lacks. */
export function openBenchmark(directory: string): Benchmark {
  const windows = readJson<Record<string, [string, string][]>>(directory, "labels/combined_windows.json");
  const profiles = readJson<Record<string, { CostMatrix?: Weights }>>(directory, "config/profiles.json");
  const weightsOf = (profile: ProfileName): Weights => {
    const weights = profiles[profile]?.CostMatrix;
    if (!weights) throw new Error(`config/profiles.json in ${directory} has no profile ${profile}`);
    return weights;
  };
  const files = Object.entries(windows).map(([name, pairs]) => {
    const series = readSeries(readText(directory, `data/${name}`), name);
    const edges = pairs.map(([from, to]) => [timeMs(from, name), timeMs(to, name)] as const);
    return { name, series, rewards: rewardsOf(series.timesMs, edges) };
  });
  const weights = Object.fromEntries(PROFILES.map((profile) => [profile, weightsOf(profile)]));
  return { directory, files, weights: weights as Record<ProfileName, Weights> };
}

/** The scores kept in `results/<detector>`, beside the windows they are measured by. */
export function readStored({ directory, files }: Benchmark, detector: string): Scored[] {
  return files.map(({ name, rewards }) => {
    const path = join("results", detector, dirname(name), `${detector}_${basename(name)}`);
    const scores = readStoredScores(readText(directory, path), path);
    if (scores.length !== rewards.worth.length) throw new Error(`${path}: ${scores.length} scores for ${name}`);
    return { rewards, scores };
  });
}

/** What `results/final_results.json` says of a detector; undefined where it says nothing. */
export function finalResult({ directory }: Benchmark, detector: string): ProfileScores | undefined {
  return readJson<Record<string, ProfileScores>>(directory, "results/final_results.json")[detector];
}

function readText(directory: string, path: string): string {
  const full = join(directory, path);
  if (!existsSync(full)) throw new Error(`${directory} is no whole copy of the benchmark: it has no ${path}`);
  return readFileSync(full, "utf8");
}

function readJson<T>(directory: string, path: string): T {
  const text = readText(directory, path);
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new Error(`${path} in ${directory} is no JSON`, { cause });
  }
}
