/**
 * A consistent copy of the ledger for others, whether or not the server is running. It is written to a temporary name
 * and renamed, so a file with the final name is complete.
 */
import { existsSync, renameSync, rmSync } from "node:fs";
import { Problem } from "@sallyport/protocol";
import type { ExportedFile, ExportedLog, ExportFormat, LogsStart } from "@sallyport/ledger";
import type { EnvironmentName } from "@sallyport/protocol";
import { formatExportManifest, formatSignedNote, formatVerifierKey } from "@sallyport/ledger";
import type { NoteSigner } from "./note-signer.ts";
import { LedgerLines } from "./ledger-lines.ts";
import type { DataPaths } from "../disk/data-paths.ts";
import { seqOfLine } from "./segment-file.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";

/** Takes the records, in order, each once; files are complete when it has ended. */
export interface ExportWriter {
  /** False where it is not in this export: of another environment, or not covered by a checkpoint yet. */
  take(kept: string): boolean;
  end(): readonly ExportedFile[];
  /** Writes the signed manifest. */
  finish(manifest: string): void;
}

export interface ExportOrder {
  readonly format: ExportFormat;
  readonly out: string;
  /** Epoch ms. */
  readonly now: number;
  readonly signer: NoteSigner;
  /** One environment's alone. */
  readonly environment?: EnvironmentName | undefined;
  readonly makeWriter: (aside: string, logs: LogsStart) => ExportWriter;
  /** Called now and then with the number of records read. */
  readonly onProgress?: (records: number, total: number) => void;
}

export interface Exported {
  /** In the export: as many as its verification finds. */
  readonly records: number;
  /** In the audit log and not in the export. */
  readonly leftOut: number;
  readonly files: number;
}

const ATTEMPTS = 20;

/** Throws `already_exists` where `out` is there, `store_unavailable` where the audit log is damaged: verify it first. */
export async function exportLedger(database: SqlDatabase, paths: DataPaths, order: ExportOrder): Promise<Exported> {
  const { out } = order;
  for (const path of [out, `${out}.manifest`])
    if (existsSync(path)) throw new Problem("already_exists", `${path} already exists: choose another path`);
  const aside = `${out}.tmp-${process.pid}`;
  try {
    for (let attempt = 1; ; attempt++) {
      rmSync(aside, { recursive: true, force: true });
      // While the server runs, a rotation or truncation may happen between reading files and table: read again.
      const exported = await exportOnce(database, paths, order, aside);
      if (typeof exported === "object") return exported;
      if (attempt >= ATTEMPTS)
        throw new Problem(
          "store_unavailable",
          `the audit log cannot be exported: ${exported}; run 'sallyport audit verify'`,
        );
    }
  } finally {
    for (const path of [aside, `${aside}.manifest`]) rmSync(path, { recursive: true, force: true });
  }
}

/** What was wrong, in words, where the lines were not of one moment. */
async function exportOnce(
  database: SqlDatabase,
  paths: DataPaths,
  order: ExportOrder,
  aside: string,
): Promise<Exported | string> {
  const lines = new LedgerLines(database, paths);
  const logs = lines.start();
  const writer = order.makeWriter(aside, logs);
  let last = 0;
  let records = 0;
  let leftOut = 0;
  let read = 0;
  const total = order.onProgress ? lines.estimate() : 0;
  for await (const some of lines.once()) {
    for (const { line, file } of some) {
      const seq = seqOfLine(line);
      if (seq === undefined) return `a line of ${file} is damaged`;
      if (last > 0 && seq !== last + 1) return `record ${last + 1} is missing or damaged`;
      last = seq;
      // Counted as a verification counts: what is in the export, and nothing else.
      if (writer.take(line)) records++;
      else leftOut++;
    }
    order.onProgress?.((read += some.length), total);
  }
  const { head } = lines;
  if (!head || head.seq !== last) return `the last record is ${last}, its head says ${head?.seq}`;
  const files = writer.end();
  const text = formatExportManifest({
    node: logs.node,
    key: formatVerifierKey(order.signer.verifier),
    format: order.format,
    at: order.now,
    head: { seq: head.seq, hash: head.hash },
    from: logs.from,
    logs: exportedLogs(logs, order.environment),
    files,
  });
  const manifest = formatSignedNote({ text, signatures: [order.signer.sign(text)] });
  writer.finish(manifest);
  renameSync(aside, order.out);
  if (existsSync(`${aside}.manifest`)) renameSync(`${aside}.manifest`, `${order.out}.manifest`);
  return { records, leftOut, files: files.length };
}

function exportedLogs(
  { bases, firstKeys, checkpoints }: LogsStart,
  only: EnvironmentName | undefined,
): readonly ExportedLog[] {
  return [...checkpoints]
    .filter(([environment]) => only === undefined || environment === only)
    .map(([environment, checkpoint]) => ({
      environment,
      base: bases.get(environment)!,
      firstKey: formatVerifierKey(firstKeys.get(environment)!),
      checkpoint,
    }));
}
