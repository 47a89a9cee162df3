/** A copy of the Numenta Anomaly Benchmark (github.com/numenta/NAB) on this disk, opened and checked as a whole. */
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readBounded } from "@sallyport/ledger/node";
import { rewardsOf } from "./reward.ts";
import type { Rewards } from "./reward.ts";
import type { Scored, Weights } from "./score.ts";
import { readSeries, readStoredScores, timeMs } from "./series-file.ts";
import type { BenchmarkSeries } from "./series-file.ts";

export const PROFILES = ["standard", "reward_low_FP_rate", "reward_low_FN_rate"] as const;
export type ProfileName = (typeof PROFILES)[number];
export type ProfileScores = Readonly<Record<ProfileName, number>>;

export interface BenchmarkFile {
  /** Below `data/`: `realTweets/Twitter_volume_FB.csv`. */
  readonly name: string;
  readonly series: BenchmarkSeries;
  readonly rewards: Rewards;
}

export interface Benchmark {
  readonly directory: string;
  readonly files: readonly BenchmarkFile[];
  readonly weights: Readonly<Record<ProfileName, Weights>>;
}

/** The directory is no whole copy, or was not asked for what it has. */
export class BenchmarkMistake extends Error {}

/** Throws a `BenchmarkMistake` that names the first thing the directory lacks. */
export function openBenchmark(directory: string): Benchmark {
  const windows = readJson<Record<string, [string, string][]>>(directory, "labels/combined_windows.json");
  const profiles = readJson<Record<string, { CostMatrix?: Weights }>>(directory, "config/profiles.json");
  const weightsOf = (profile: ProfileName): Weights => {
    const weights = profiles[profile]?.CostMatrix;
    if (!weights) throw new BenchmarkMistake(`config/profiles.json in ${directory} has no profile ${profile}`);
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
  if (!/^[A-Za-z0-9_-]+$/.test(detector) || !existsSync(join(directory, "results", detector)))
    throw new BenchmarkMistake(`${directory} keeps no results of ${detector}; it has ${detectorsOf(directory)}`);
  return files.map(({ name, rewards }) => {
    const path = join("results", detector, dirname(name), `${detector}_${basename(name)}`);
    const scores = readStoredScores(readText(directory, path), path);
    if (scores.length !== rewards.worth.length)
      throw new BenchmarkMistake(`${path}: ${scores.length} scores for ${name}`);
    return { rewards, scores };
  });
}

/** What the benchmark itself says of a detector: its scores, and the thresholds they were reached with. */
export interface KeptResult {
  readonly scores: ProfileScores;
  readonly thresholds: ProfileScores;
}

/** Undefined where the benchmark keeps no final result of the detector. */
export function keptResult({ directory }: Benchmark, detector: string): KeptResult | undefined {
  if (!existsSync(join(directory, "results/final_results.json"))) return undefined;
  const scores = readJson<Record<string, ProfileScores>>(directory, "results/final_results.json")[detector];
  type Thresholds = Readonly<Record<ProfileName, { readonly threshold: number }>>;
  const kept = readJson<Record<string, Thresholds>>(directory, "config/thresholds.json")[detector];
  if (!scores || !kept) return undefined;
  const thresholds = Object.fromEntries(PROFILES.map((profile) => [profile, kept[profile].threshold]));
  return { scores, thresholds: thresholds as Record<ProfileName, number> };
}

function detectorsOf(directory: string): string {
  const results = join(directory, "results");
  if (!existsSync(results)) return "no results/";
  const entries = readdirSync(results, { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).join(", ") || "none";
}

const FILE_BYTES_MAX = 64 * 1024 * 1024;

function readText(directory: string, path: string): string {
  const full = join(directory, path);
  if (!existsSync(full))
    throw new BenchmarkMistake(`${directory} is no whole copy of the benchmark: it has no ${path}`);
  const text = readBounded(full, FILE_BYTES_MAX)?.toString("utf8");
  if (text === undefined)
    throw new BenchmarkMistake(`${path} in ${directory} is longer than any file of the benchmark`);
  return text;
}

function readJson<T>(directory: string, path: string): T {
  const text = readText(directory, path);
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new BenchmarkMistake(`${path} in ${directory} is no JSON`, { cause });
  }
}
