import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { keptResult, openBenchmark, readStored } from "./benchmark.ts";
import { detect, detectAll, scoreAll, scoreAllAt } from "./run.ts";
import { readSeries } from "./series-file.ts";

const DIRECTORY = "testdata/nab";

function copyWithout(path: string): string {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-nab-"));
  cpSync(DIRECTORY, directory, { recursive: true });
  rmSync(join(directory, path), { recursive: true });
  return directory;
}

it.each(["labels/combined_windows.json", "config/profiles.json", "data/realTraffic/speed_7578.csv"])(
  "a copy without %s is told by its name",
  (path) => {
    const directory = copyWithout(path);
    expect(() => openBenchmark(directory)).toThrow(`${directory} is no whole copy of the benchmark: it has no ${path}`);
  },
);

it("a detector that is not kept is answered with those that are", () => {
  const benchmark = openBenchmark(DIRECTORY);
  expect(() => readStored(benchmark, "nobody")).toThrow(/it has contextOSE, numenta, randomCutForest$/);
  expect(() => readStored(benchmark, "../nab")).toThrow(/keeps no results/);
  expect(keptResult(benchmark, "numenta")).toBeUndefined();
});

it("a kept result is read with its thresholds", () => {
  const directory = copyWithout("results/numenta");
  const scores = { standard: 1, reward_low_FP_rate: 2, reward_low_FN_rate: 3 };
  const thresholds = {
    standard: { threshold: 4 },
    reward_low_FP_rate: { threshold: 5 },
    reward_low_FN_rate: { threshold: 6 },
  };
  writeFileSync(join(directory, "results/final_results.json"), JSON.stringify({ numenta: scores }));
  writeFileSync(join(directory, "config/thresholds.json"), JSON.stringify({ numenta: thresholds }));
  const benchmark = openBenchmark(directory);
  expect(keptResult(benchmark, "numenta")).toEqual({
    scores,
    thresholds: { standard: 4, reward_low_FP_rate: 5, reward_low_FN_rate: 6 },
  });
  expect(() => readStored(benchmark, "numenta")).toThrow(/keeps no results of numenta/);
});

it("a row that is no number or no time is a mistake, and so is a missing column", () => {
  const heading = "timestamp,value";
  expect(readSeries(`${heading}\n2014-04-01 00:00:00,2.5\n`, "f")).toEqual({
    timesMs: [Date.UTC(2014, 3, 1)],
    values: [2.5],
  });
  for (const text of [`${heading}\n2014-04-01 00:00:00,\n`, `${heading}\nnever,1\n`, "a,b\n1,2\n", heading])
    expect(() => readSeries(text, "f")).toThrow(/^f: /);
});

it("our detector finds most of the two files' windows, with scores from 0 to 1", () => {
  const benchmark = openBenchmark(DIRECTORY);
  const files = detectAll(benchmark);
  for (const score of files.flatMap(({ scores }) => scores)) expect(score >= 0 && score <= 1).toBe(true);
  const { standard } = scoreAll(benchmark, files);
  expect(standard).toBeGreaterThan(60);
  expect(scoreAllAt(benchmark, files, { standard: 2, reward_low_FP_rate: 2, reward_low_FN_rate: 2 }).standard).toBe(0);
});

it("a score depends on no later row but the known range", () => {
  const { timesMs, values } = openBenchmark(DIRECTORY).files[0]!.series;
  const half = values.length / 2;
  const mirrored = values.map((value, row) =>
    row < half ? value : values[Math.floor(half) + values.length - 1 - row]!,
  );
  const cut = (scores: number[]) => scores.slice(0, Math.floor(half));
  expect(cut(detect({ timesMs, values: mirrored }))).toEqual(cut(detect({ timesMs, values })));
});
