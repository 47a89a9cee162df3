/** `sallyport anomalies nab`: the series detector's score on the Numenta Anomaly Benchmark. */
import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { UsageMistake } from "./failure.ts";

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
    .action((options: NabOptions) => {
      void cli;
      throw new UsageMistake(`${options.data}: not yet`);
    });
}
