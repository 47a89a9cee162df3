/** `sallyport limits replay`: what a policy's limits would have denied of recorded requests. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { Cli } from "../terminal/cli.ts";
import { demandGivenPath } from "../terminal/given-path.ts";
import { facts, show, table } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";

interface ReplayOptions {
  readonly policy: string;
  readonly json?: boolean;
}

export function addLimits(program: Command, cli: Cli): void {
  const limits = program.command("limits").description("try limits and budgets on recorded requests");
  limits
    .command("replay <file>")
    .description("show what a policy's limits would have denied of recorded requests (a JSONL export of the audit log)")
    .requiredOption("--policy <file>", "policy file whose limits are tried")
    .option("--json", "print JSON")
    .action((file: string, options: ReplayOptions) => replay(cli, file, options));
}

async function replay(cli: Cli, file: string, { policy: path, json }: ReplayOptions): Promise<void> {
  demandGivenPath(path);
  demandGivenPath(file);
  const { LimitReplay, openLimitReplay } = await import("../../compose/limit-replay.ts");
  const replayed = openLimitReplay(readFileSync(path, "utf8"));
  if (!(replayed instanceof LimitReplay))
    throw new UsageMistake(
      `${path} is not a valid policy`,
      "correct the policy file: docs/reference/policy.md has every field",
      replayed.map((mistake) => `${path}:${mistake}`),
    );
  const { batchesOfLines } = await import("../../anomaly/replay/lines.ts");
  const { parseExported } = await import("../../anomaly/replay/from-records.ts");
  await withProgress(cli.io, { label: "replaying", isJson: json }, async (onProgress) => {
    for await (const lines of batchesOfLines(file, (bytes, total) => onProgress("bytes", bytes, total)))
      for (const line of lines) {
        const record = line === "" ? undefined : parseExported(line);
        if (record) replayed.take(record);
      }
  });
  const result = replayed.result();
  const { limits, first, from, until, ofUnknownKeys, ...sums } = result;
  show(cli.io, json, result, () => [
    ...facts({
      ...sums,
      "of unknown keys": ofUnknownKeys,
      from: timeOf(from),
      until: timeOf(until),
    }),
    "",
    ...table(
      ["LIMIT", "DENIED", "SHORTENED"],
      limits.map(({ limit, denied, shortened }) => [limit, String(denied), String(shortened)]),
      "no limit would have denied or shortened a request",
    ),
    ...(first.length === 0
      ? []
      : [
          "",
          ...table(
            ["FIRST DENIED", "KEY", "LIMIT"],
            first.map(({ at, environment, key, limit }) => [timeOf(at), `${environment}/${key}`, limit]),
            "",
          ),
        ]),
  ]);
}

function timeOf(at: number | null): string {
  return at === null ? "-" : `${new Date(at).toISOString().slice(0, 19)}Z`;
}
