/** `sallyport audit verify|export|proof|keys`: the audit log as files; works whether or not the server is running. */
import { Option } from "commander";
import type { Command } from "commander";
import { writeFileSync } from "node:fs";
import { describeVerdict, exportFormats } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import type { ExportFormat, LedgerVerdict } from "@sallyport/ledger";
import { systemCodeOf } from "../../kernel/system-code.ts";
import type { Cli } from "../terminal/cli.ts";
import { readSettings } from "../terminal/connect.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { demandGivenPath } from "../terminal/given-path.ts";
import { listOption, withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, show } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";
import { error, ok } from "../terminal/styled-line.ts";
import type { Line } from "../terminal/styled-line.ts";

interface VerifyOptions extends ServerOptions {
  readonly key?: readonly string[];
  readonly checkpoint?: readonly string[];
  readonly witness?: readonly string[];
  readonly state?: boolean;
}

interface ExportOptions extends ServerOptions {
  readonly format: ExportFormat;
  readonly out: string;
  readonly env?: string;
}

interface ProofOptions extends ServerOptions {
  readonly out?: string;
}

export function addAuditFiles(audit: Command, cli: Cli): void {
  withServer(audit.command("verify"))
    .description("verify the audit log, an export or a proof, offline")
    .argument("[path]", "an export, a proof or a data directory (default: the data directory)")
    .addOption(listOption("--key <key>", "verifier keys you kept, or files of them: see 'audit keys'"))
    .addOption(listOption("--checkpoint <file>", "checkpoints you kept"))
    .addOption(listOption("--witness <key>", "verifier keys of witnesses that must have cosigned"))
    .option(
      "--state",
      "instead verify keys and policy in the database against the signed head (needs the server's settings)",
    )
    .action(async (path: string | undefined, options: VerifyOptions) => {
      if (options.state) return verifyState(cli, path, options);
      const { readPins } = await import("@sallyport/ledger/node");
      const { verifyPath } = await import("../../store/directory/verify-path.ts");
      const pins = readPins(options.key ?? [], options.checkpoint ?? [], options.witness ?? []);
      if (path !== undefined) demandGivenPath(path, "any");
      const place = path ?? (await readSettings(options, cli.io.env)).dataDirectory;
      const work = { label: "verifying the audit log", isJson: options.json };
      const verdict = await withProgress(cli.io, work, (onProgress) =>
        verifyPath(place, pins, {
          onRecords: (records, total) => onProgress("records", records, total),
          onBytes: (bytes) => onProgress("bytes", bytes),
        }),
      );
      show(cli.io, options.json, verdict, () => verdictLines(verdict));
      if (!verdict.ok) cli.found();
    });

  withServer(audit.command("export"))
    .description("export the audit log for an auditor: every record, with a signed manifest")
    .addOption(
      new Option(
        "--format <format>",
        "tiles: logs with proofs (C2SP tlog-tiles); jsonl: one record per line; ocsf: events for other systems",
      )
        .choices(exportFormats)
        .default("tiles"),
    )
    .requiredOption("--out <path>", "a new folder (tiles) or file")
    .option("--env <environment>", "only the log of this environment (tiles)")
    .action(async (options: ExportOptions) => {
      const { format, out, env: environment } = options;
      if (environment !== undefined && format !== "tiles")
        throw new Problem("input_invalid", "--env goes with --format tiles: the other formats are of the whole chain");
      const settings = await readSettings(options, cli.io.env);
      const { exportAudit } = await import("../../store/directory/ledger-files.ts");
      const work = { label: "exporting the audit log", isJson: options.json };
      const exported = await withProgress(cli.io, work, (onProgress) =>
        exportAudit(settings, {
          format,
          out,
          environment,
          onProgress: (records, total) => onProgress("records", records, total),
        }),
      );
      show(cli.io, options.json, { out, format, ...exported }, () => [
        ...facts({ out, format, "records in the export": exported.records, files: exported.files }),
        ...(exported.leftOut > 0
          ? [
              `${exported.leftOut} records are not in it: those of other environments, of before the logs, or not covered by a checkpoint yet`,
            ]
          : []),
        `verify it anywhere with: sallyport audit verify ${out}`,
      ]);
    });

  withServer(audit.command("proof"))
    .description("write a proof of one record, which 'audit verify' can check by itself")
    .argument("<record>", "a record's number, or the id of a request")
    .option("--out <file>", "a new file (default: print the proof)")
    .action(async (record: string, options: ProofOptions) => {
      const settings = await readSettings(options, cli.io.env);
      const { proveRecord } = await import("../../store/directory/ledger-files.ts");
      const proof = await proveRecord(
        settings,
        /^[1-9]\d{0,15}$/.test(record) ? { seq: Number(record) } : { request: record },
      );
      const { out } = options;
      if (out === undefined) return show(cli.io, options.json, { record, proof }, () => proof.trimEnd().split("\n"));
      writeNew(out, proof);
      show(cli.io, options.json, { record, out }, () => [`the proof of ${record} is in ${out}`]);
    });

  withServer(audit.command("keys"))
    .description("print the keys that sign exports and logs, for auditors to keep")
    .action(async (options: ServerOptions) => {
      const settings = await readSettings(options, cli.io.env);
      const { publishedKeys } = await import("../../store/directory/ledger-files.ts");
      const keys = await publishedKeys(settings);
      show(cli.io, options.json, { keys }, () => keys.map(({ key }) => key));
    });
}

async function verifyState(cli: Cli, path: string | undefined, options: VerifyOptions): Promise<void> {
  if (options.key ?? options.checkpoint ?? options.witness)
    throw new UsageMistake("--state verifies the database alone: --key, --checkpoint and --witness do not go with it");
  const settings = await readSettings({ ...options, ...(path === undefined ? {} : { data: path }) }, cli.io.env);
  const { verifyDirectoryState } = await import("../../store/directory/verify-state.ts");
  const {
    ok: isWhole,
    rows,
    firstDifference: first,
  } = await withProgress(cli.io, { label: "verifying the database", isJson: options.json }, () =>
    verifyDirectoryState(settings),
  );
  show(cli.io, options.json, { ok: isWhole, rows, ...(first ? { firstDifference: first } : {}) }, () =>
    facts({
      state: isWhole ? ok("whole") : error("CHANGED"),
      rows,
      ...(first ? { "first difference": `table ${first.table}, row ${first.id || "-"}: ${first.reason}` } : {}),
    }),
  );
  if (!isWhole) cli.found();
}

function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    if (systemCodeOf(cause) === "EEXIST")
      throw new Problem("already_exists", `${path} already exists: choose another path`);
    throw cause;
  }
}

function verdictLines(verdict: LedgerVerdict): readonly Line[] {
  const described = describeVerdict(verdict);
  const ledger = verdict.ok ? ok("whole") : error("DAMAGED");
  return [...facts({ ...described.facts, ledger }), ...described.notes];
}
