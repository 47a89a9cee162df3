/** `sallyport anomalies simulate|score`: labelled traffic out of a seed, and how well the detector finds what is in it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { demandGivenPath } from "../terminal/given-path.ts";
import { wholeNumberOption } from "../terminal/options.ts";
import { facts, show, table } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";

interface SimulateOptions {
  readonly seed: number;
  readonly out: string;
  readonly json?: boolean;
}

export function addAnomaliesTraffic(anomalies: Command, cli: Cli): void {
  anomalies
    .command("simulate")
    .description(
      "write labelled traffic: 200 keys, 60 days, twelve kinds of misuse; the same seed gives the same bytes",
    )
    .requiredOption("--seed <n>", "a whole number", wholeNumberOption)
    .requiredOption("--out <dir>", "directory for observations.jsonl, labels.json and manifest.json (some 400 MB)")
    .option("--json", "print JSON")
    .action(async ({ seed, out, json }: SimulateOptions) => {
      const { writeSimulation } = await import("../../watch-lab/simulate/write-directory.ts");
      const manifest = await withProgress(cli.io, { label: "simulating traffic", isJson: json }, (onProgress) =>
        writeSimulation(seed, out, (days, total) => onProgress("days", days, total)),
      );
      show(cli.io, json, manifest, () => facts({ ...manifest }));
    });

  anomalies
    .command("score <dir>")
    .description("run the detector over labelled traffic: recall, precision, false alarms, delay, cost")
    .option("--json", "print JSON")
    .action(async (directory: string, { json }: { readonly json?: boolean }) => {
      demandSimulation(directory);
      const { scoreDirectory } = await import("../../watch-lab/score/score-directory.ts");
      const work = { label: "scoring the detector", isJson: json };
      const score = await withProgress(cli.io, work, (onProgress) =>
        scoreDirectory(directory, (bytes, total) => onProgress("bytes", bytes, total)),
      );
      const { kinds, falseKinds, ...sums } = score;
      show(cli.io, json, score, () => [
        ...facts({
          ...sums,
          recall: sums.recall.toFixed(3),
          precision: sums.precision.toFixed(3),
          falseAlarmsPerKeyMonth: sums.falseAlarmsPerKeyMonth.toFixed(3),
          cpuMicrosPerEvent: sums.cpuMicrosPerEvent.toFixed(2),
        }),
        "",
        ...table(
          ["misuse", "found", "median delay, s"],
          Object.entries(kinds).map(([kind, { found, labelled, medianDelaySeconds }]) => [
            kind,
            `${found} of ${labelled}`,
            medianDelaySeconds === null ? "-" : medianDelaySeconds.toFixed(0),
          ]),
          "no misuse is labelled",
        ),
        "",
        ...table(
          ["false alarms", "number"],
          Object.entries(falseKinds).map(([kind, count]) => [kind, String(count)]),
          "no false alarm",
        ),
      ]);
    });
}

function demandSimulation(directory: string): void {
  demandGivenPath(directory, "directory");
  const missing = ["manifest.json", "observations.jsonl", "labels.json"].filter(
    (name) => !existsSync(join(directory, name)),
  );
  if (missing.length > 0)
    throw new UsageMistake(
      `${directory} is not labelled traffic: it has no ${missing.join(", ")}`,
      `write it first: \`sallyport anomalies simulate --seed 1 --out ${directory}\``,
    );
}
