/** `sallyport review report|verify`: the files of a closed review, and their verification without a gateway. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { AdminClient } from "@sallyport/client";
import type { ExportedLine } from "@sallyport/contract";
import { parseRecordProof } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import type { Settings } from "../../config/settings.ts";
import { systemCodeOf } from "../../kernel/system-code.ts";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { readSettings } from "../terminal/connect.ts";
import { demandGivenPath } from "../terminal/given-path.ts";
import { listOption, withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, show } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";
import { error, ok } from "../terminal/styled-line.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import {
  documentOf,
  REPORT_FILES,
  MANIFEST,
  MANIFEST_PROOF,
  manifestText,
  renderedFiles,
  sha256Of,
} from "./review-document.ts";
import type { ReviewDocument } from "./review-export.ts";

const PAGE = 500;

interface ReportOptions extends ServerOptions {
  readonly out: string;
}

interface VerifyOptions {
  readonly json?: boolean;
  readonly key?: readonly string[];
}

export function addReviewReport(review: Command, cli: Cli): void {
  withServer(review.command("report <review>"))
    .description("write the report of a closed review: HTML, CSV, JSON and proofs; on the gateway host")
    .requiredOption("--out <dir>", "a new directory")
    .action((id: string, options: ReportOptions) => writeReport(cli, id, options));

  review
    .command("verify <dir>")
    .description(
      "verify a report, offline: every file against the manifest, the manifest and the decisions against the audit log",
    )
    .addOption(listOption("--key <key>", "verifier keys you kept, or files of them: see 'audit keys'"))
    .option("--json", "print JSON")
    .action(async (directory: string, options: VerifyOptions) => {
      demandGivenPath(directory, "directory");
      const { verifyReview } = await import("./verify-review.ts");
      const verdict = verifyReview(directory, options.key ?? []);
      show(cli.io, options.json, verdict, () =>
        verdict.ok
          ? [
              ...facts({
                report: ok("whole"),
                review: verdict.review,
                lines: verdict.lines,
                records: verdict.records,
                log: verdict.log,
                key: verdict.key,
              }),
              ...(verdict.isPinned ? [] : ["compare the key with one you kept: sallyport audit keys"]),
            ]
          : facts({ report: error("CHANGED"), file: verdict.file, reason: verdict.reason }),
      );
      if (!verdict.ok) cli.found();
    });
}

async function writeReport(cli: Cli, id: string, options: ReportOptions): Promise<void> {
  const { out } = options;
  const work = { label: "writing the report", isJson: options.json };
  const written = await withProgress(cli.io, work, () =>
    withClient(cli, options, async (client, kind) => {
      if (kind === "network")
        throw new UsageMistake(
          "the proofs of a report are made from the data directory",
          "run `sallyport review report` on the gateway host",
        );
      const settings = await readSettings(options, cli.io.env);
      const document = await readDocument(client, id);
      makeDirectory(out);
      return writeFiles(client, settings, document, out);
    }),
  );
  show(cli.io, options.json, { reviewId: id, out, ...written }, () => [
    ...facts({
      report: join(out, REPORT_FILES.html),
      files: written.files,
      records: written.records,
      "manifest SHA-256": written.manifest,
    }),
    `verify it anywhere with: sallyport review verify ${out}`,
  ]);
}

async function readDocument(client: AdminClient, id: string): Promise<ReviewDocument> {
  const params = { id };
  const records: ReviewDocument["records"][number][] = [];
  for (let after: number | undefined; ;) {
    const page = await client.call("reviews.records", { params, query: { after } });
    records.push(...page.records);
    if (page.next === null) break;
    after = page.next;
  }
  const lines: ExportedLine[] = [];
  for (let after: number | undefined; ;) {
    const page = await client.call("reviews.export", { params, query: { after, limit: PAGE } });
    lines.push(...page.lines);
    if (page.next === null) return documentOf({ review: page.review, canarySalt: page.canarySalt, lines, records });
    after = page.next;
  }
}

function makeDirectory(out: string): void {
  try {
    mkdirSync(out, { mode: 0o700 });
  } catch (cause) {
    if (systemCodeOf(cause) === "EEXIST") {
      if (isEmptyDirectory(out)) return;
      throw new Problem("already_exists", `${out} already exists: choose another path`);
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageMistake(`${out} cannot be made: ${reason}`, "name a directory that you can create");
  }
}

function isEmptyDirectory(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch {
    return false;
  }
}

async function writeFiles(client: AdminClient, settings: Settings, document: ReviewDocument, out: string) {
  const { awaitProofs, proveRecords } = await import("../../store/directory/ledger-files.ts");
  const { review, records } = document;
  await awaitProofs(settings, [review.environment]);
  const proofs = await proveRecords(
    settings,
    records.map(({ seq }) => seq),
  );
  const proved = records.map(({ seq }) => {
    const proof = proofs.get(seq);
    if (proof === undefined)
      throw new Problem("store_unavailable", `record ${seq} cannot be proved yet, or is no longer kept: try again`);
    return { seq, proof };
  });
  const parsed = parseRecordProof(proved[0]?.proof ?? "");
  if (!parsed) throw new Problem("store_unavailable", "the audit log has no records of the review any more");
  const files = new Map<string, string>([
    ...renderedFiles(document),
    [REPORT_FILES.json, `${JSON.stringify(document, null, 1)}\n`],
    [REPORT_FILES.proofs, proved.map((one) => `${JSON.stringify(one)}\n`).join("")],
    [REPORT_FILES.checkpoint, parsed.checkpoint],
    [REPORT_FILES.key, `${parsed.key}\n`],
  ]);
  const manifest = manifestText(files);
  const hash = sha256Of(manifest);
  const { receipt } = await client.call("reviews.report", { params: { id: review.id }, body: { manifest: hash } });
  await awaitProofs(settings, [review.environment]);
  const proof = (await proveRecords(settings, [receipt])).get(receipt);
  if (proof === undefined)
    throw new Problem("store_unavailable", "the manifest's record cannot be proved yet: try again");
  const all = [...files, [MANIFEST, manifest], [MANIFEST_PROOF, proof]] as const;
  // Names, and who may do what: for its owner alone.
  for (const [name, text] of all) writeFileSync(join(out, name), text, { mode: 0o600, flag: "wx" });
  return { files: all.length, records: records.length, manifest: hash };
}
