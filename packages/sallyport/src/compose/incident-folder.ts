/**
 * An incident's folder: evidence frozen once, proofs of the records that decide, and the report, written anew whenever it
 * is asked for. Beside a running server or without one; loaded by the incident commands only.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Problem } from "@sallyport/protocol";
import type { Settings } from "../config/settings.ts";
import { isIncidentId } from "../incident/incident.ts";
import { makeReport } from "../incident/make-report.ts";
import type { ReportParts } from "../incident/make-report.ts";
import { formatHtml } from "../incident/report-html.ts";
import { formatMarkdown } from "../incident/report-markdown.ts";
import type { Evidence, Proof } from "../incident/report.ts";
import { dataPaths } from "../store/disk/data-paths.ts";
import { writeDurably } from "../store/disk/durable-file.ts";
import { listSegments } from "../store/ledger/segment-file.ts";
import { awaitProofs, exportAudit, proveRecords } from "./ledger-files.ts";

type Place = Pick<Settings, "dataDirectory" | "keyEncryptionKey">;

export interface WrittenIncident {
  /** The report's text, as Markdown and as HTML. */
  readonly report: string;
  readonly html: string;
  /** Where they are written. */
  readonly reportFile: string;
  readonly htmlFile: string;
  readonly folder: string;
  readonly evidence: readonly string[];
  readonly proofs: number;
}

/** A ledger beyond this is not copied whole by the way: the proofs hold the records that decide. */
const EVIDENCE_BYTES_MAX = 1024 * 1024 * 1024;

/** `evidenceBytesMax` = the largest ledger that is copied. */
export async function writeIncident(
  place: Place,
  incident: ReportParts["incident"],
  radius: ReportParts["radius"],
  evidenceBytesMax: number = EVIDENCE_BYTES_MAX,
): Promise<WrittenIncident> {
  if (!isIncidentId(incident.id)) throw new TypeError("an incident's id names a folder");
  const folder = join(dataPaths(place.dataDirectory).incidents, incident.id);
  makeFolder(folder);
  // The suspension is the newest record there is: evidence without it would be of before.
  await awaitProofs(place, [incident.environment, "system"]);
  const evidence = await freezeEvidence(place, folder, incident.environment, evidenceBytesMax);
  const proofs = await writeProofs(place, folder, radius);
  const report = makeReport({ incident, radius, proofs, evidence });
  const paths = { reportFile: join(folder, "report.md"), htmlFile: join(folder, "report.html") };
  const texts = { report: formatMarkdown(report), html: formatHtml(report) };
  writeDurably(paths.reportFile, texts.report);
  writeDurably(paths.htmlFile, texts.html);
  writeDurably(join(folder, "report.json"), `${JSON.stringify({ incident, radius, proofs, evidence }, null, 2)}\n`);
  return {
    ...texts,
    ...paths,
    folder,
    evidence: evidence.folders.map((name) => join(folder, name)),
    proofs: proofs.filter(({ file }) => file !== null).length,
  };
}

/** Once: what is there is of the time when the incident was opened, and stays. */
async function freezeEvidence(place: Place, folder: string, environment: string, bytesMax: number): Promise<Evidence> {
  makeFolder(join(folder, "evidence"));
  const names = [...new Set([environment, "system"])];
  const missing = names.filter((name) => !existsSync(join(folder, "evidence", name)));
  const bytes = ledgerBytes(place.dataDirectory);
  if (missing.length > 0 && bytes > bytesMax)
    return {
      folders: [],
      missing: `the ledger is ${bytes} bytes, too large to be copied by the way: copy it with 'sallyport audit export --format tiles --out FOLDER'; the proofs hold the records that decide`,
    };
  const failures: string[] = [];
  for (const name of missing)
    await exportAudit(place, { format: "tiles", out: join(folder, "evidence", name), environment: name }).catch(
      (cause: unknown) => failures.push(whatFailed(cause)),
    );
  const whole = names.filter((name) => existsSync(join(folder, "evidence", name)));
  return {
    folders: whole.map((name) => `evidence/${name}`),
    missing: failures.length === 0 ? "" : `not all could be copied: ${failures.join("; ")}`,
  };
}

/** A ledger that somebody damaged is no reason for no report: it is what a report has to say. */
function whatFailed(cause: unknown): string {
  if (!(cause instanceof Problem)) throw cause;
  return cause.message;
}

/** Named by record: one that was written before is replaced by a proof against a later checkpoint. */
async function writeProofs(
  place: Place,
  folder: string,
  { decisive }: ReportParts["radius"],
): Promise<readonly Proof[]> {
  makeFolder(join(folder, "proofs"));
  const seqs = decisive.map(({ seq }) => seq);
  const proofs = await proveRecords(place, seqs).catch((cause: unknown) => {
    whatFailed(cause);
    return new Map<number, string>();
  });
  return decisive.map(({ seq, why }) => {
    const proof = proofs.get(seq);
    if (proof === undefined) return { seq, why, file: heldProof(folder, seq) };
    writeDurably(join(folder, fileOf(seq)), proof);
    return { seq, why, file: fileOf(seq) };
  });
}

/** A record that retention has removed since is still proved by what was written then. */
function heldProof(folder: string, seq: number): string | null {
  return existsSync(join(folder, fileOf(seq))) ? fileOf(seq) : null;
}

function fileOf(seq: number): string {
  return `proofs/${seq}.tlog-proof`;
}

function ledgerBytes(dataDirectory: string): number {
  const { ledger, database } = dataPaths(dataDirectory);
  const segments = readdirSync(ledger).length === 0 ? [] : listSegments(ledger);
  return segments.reduce((sum, { path }) => sum + statSync(path).size, statSync(database).size);
}

function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
}
