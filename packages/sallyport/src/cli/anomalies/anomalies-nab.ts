/** `sallyport anomalies nab`: the series detector on the Numenta Anomaly Benchmark, and the benchmark's own results beside the scorer. */
import type { Command } from "commander";
import type { ProfileScores } from "../../watch-lab/nab/benchmark.ts";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { show, table } from "../terminal/print.ts";

interface NabOptions {
  readonly data: string;
  readonly json?: boolean;
  readonly stored?: string;
}

export function addAnomaliesNab(anomalies: Command, cli: Cli): void {
  anomalies
    .command("nab")
    .description("score the detector of rates and levels on the Numenta Anomaly Benchmark")
    .requiredOption("--data <dir>", "a copy of the benchmark (github.com/numenta/NAB): its data/, labels/ and config/")
    .option("--stored <detector>", "score what the benchmark keeps in results/<detector> instead")
    .option("--json", "print JSON")
    .action(async (options: NabOptions) => {
      // Loaded by this command alone: no other needs it.
      const { BenchmarkMistake } = await import("../../watch-lab/nab/benchmark.ts");
      const { SeriesMistake } = await import("../../watch-lab/nab/series-file.ts");
      try {
        await (options.stored === undefined ? scoreOurs(cli, options) : scoreStored(cli, options, options.stored));
      } catch (cause) {
        if (cause instanceof BenchmarkMistake || cause instanceof SeriesMistake) throw new UsageMistake(cause.message);
        throw cause;
      }
    });
}

async function scoreOurs(cli: Cli, { data, json }: NabOptions): Promise<void> {
  const { openBenchmark } = await import("../../watch-lab/nab/benchmark.ts");
  const { detectAll, scoreAll } = await import("../../watch-lab/nab/run.ts");
  const benchmark = openBenchmark(data);
  const beganMs = performance.now();
  const scored = detectAll(benchmark);
  const tookMs = performance.now() - beganMs;
  const scores = scoreAll(benchmark, scored);
  const rows = scored.reduce((sum, file) => sum + file.scores.length, 0);
  show(cli.io, json, plain(scores), () => [
    ...table(["profile", "score"], profileRows([scores]), ""),
    `${scored.length} files, ${rows} values, ${((1_000 * tookMs) / rows).toFixed(2)} us a value`,
  ]);
}

async function scoreStored(cli: Cli, { data, json }: NabOptions, detector: string): Promise<void> {
  const { keptResult, openBenchmark, readStored } = await import("../../watch-lab/nab/benchmark.ts");
  const { scoreAll, scoreAllAt } = await import("../../watch-lab/nab/run.ts");
  const benchmark = openBenchmark(data);
  const files = readStored(benchmark, detector);
  const best = scoreAll(benchmark, files);
  const kept = keptResult(benchmark, detector);
  const atKept = kept && scoreAllAt(benchmark, files, kept.thresholds);
  const facts = {
    ...plain(best),
    detector,
    atKeptThreshold: atKept ? plain(atKept) : null,
    stored: kept ? plain(kept.scores) : null,
  };
  show(cli.io, json, facts, () =>
    kept && atKept
      ? table(
          ["profile", "best threshold", "kept threshold", "benchmark says"],
          profileRows([best, atKept, kept.scores]),
          "",
        )
      : [...table(["profile", "best threshold"], profileRows([best]), ""), `no final result of ${detector} is kept`],
  );
}

/** The names of the JSON form. */
function plain(scores: ProfileScores): Record<"standard" | "rewardLowFP" | "rewardLowFN", number> {
  const { standard, reward_low_FP_rate: rewardLowFP, reward_low_FN_rate: rewardLowFN } = scores;
  return { standard, rewardLowFP, rewardLowFN };
}

function profileRows(columns: readonly ProfileScores[]): string[][] {
  const names = {
    standard: "standard",
    reward_low_FP_rate: "few false alarms",
    reward_low_FN_rate: "few misses",
  } as const;
  return Object.entries(names).map(([profile, name]) => [
    name,
    ...columns.map((scores) => scores[profile as keyof typeof names].toFixed(2)),
  ]);
}
