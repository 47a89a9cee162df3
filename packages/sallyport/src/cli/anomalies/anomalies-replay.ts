/** `sallyport anomalies replay`: today's detectors and response policy over an export of the audit log. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { parseDurationMs } from "@sallyport/contract/duration";
import type { AnomalyPolicy } from "../../anomaly/response.ts";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { demandGivenPath } from "../terminal/given-path.ts";
import { facts, show, table } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";

interface ReplayOptions {
  readonly policy?: string;
  readonly json?: boolean;
}

export function addAnomaliesReplay(anomalies: Command, cli: Cli): void {
  anomalies
    .command("replay <file>")
    .description("show which alerts and responses recorded traffic would have caused (a JSONL export of the audit log)")
    .option("--policy <file>", "responses per alert: budget, actions, for (default: notices only)")
    .option("--json", "print JSON")
    .action(async (file: string, { policy, json }: ReplayOptions) => {
      const read = await readPolicyFile(policy);
      demandGivenPath(file);
      const { replayFile } = await import("../../anomaly/replay/replay.ts");
      const replayed = await withProgress(cli.io, { label: "replaying", isJson: json }, (onProgress) =>
        replayFile(file, read, (bytes, total) => onProgress("bytes", bytes, total)),
      );
      const { alerts, from, until, ...sums } = replayed;
      show(cli.io, json, replayed, () => [
        ...facts({ ...sums, from: timeOf(from), until: timeOf(until), alerts: alerts.length }),
        "",
        ...table(
          ["at", "key", "kind", "fact", "signals", "action", "because"],
          alerts.map(({ at, environment, key, kind, isDeterministic, signals, factors, response }) => [
            timeOf(at),
            `${environment}/${key}`,
            kind,
            isDeterministic ? "yes" : "no",
            String(signals),
            response.held === null ? response.action : `${response.action} (${response.held} needs a person)`,
            factors
              .slice(0, 2)
              .map(({ name, observed }) => `${name} ${observed}`)
              .join(", "),
          ]),
          "no alerts",
        ),
      ]);
      if (alerts.length > 0) cli.found();
    });
}

const POLICY_REMEDY = "correct the policy file: docs/guides/anomalies.md shows one";

async function readPolicyFile(path: string | undefined): Promise<AnomalyPolicy> {
  const { DEFAULT_ANOMALY_POLICY, readAnomalyPolicy } = await import("../../anomaly/response.ts");
  if (path === undefined) return DEFAULT_ANOMALY_POLICY;
  demandGivenPath(path);
  const { readYaml } = await import("../../kernel/yaml.ts");
  const { value, mistakes } = readYaml(readFileSync(path, "utf8"));
  if (mistakes.length > 0)
    throw new UsageMistake(
      `${path} is not valid YAML`,
      POLICY_REMEDY,
      mistakes.map((mistake) => `${path}:${mistake}`),
    );
  const read = readAnomalyPolicy(value, parseDurationMs);
  if ("forMs" in read) return read;
  throw new UsageMistake(
    `${path} is not a valid anomaly policy`,
    POLICY_REMEDY,
    read.map((mistake) => `${path}: ${mistake.path} ${mistake.says}`),
  );
}

function timeOf(at: number | null): string {
  return at === null ? "-" : new Date(at).toISOString().slice(0, 19);
}
