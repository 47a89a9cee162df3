/**
 * An incident's folder: evidence copied once, proofs of the decisive records, and the report, which is written again on
 * request.
 */
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import { isIncidentId } from "./incident.ts";
import { makeReport } from "./make-report.ts";
import type { ReportParts } from "./make-report.ts";
import { formatHtml } from "./report-html.ts";
import { formatMarkdown } from "./report-markdown.ts";
import type { FrozenEvidence, ReportProof } from "./report.ts";

/** The audit log and the disk, as an incident's folder needs them. */
export interface IncidentFolderPorts {
  /** Holds one folder an incident. */
  readonly root: string;
  /** Resolves when what was just recorded can be proved, or that takes too long. */
  readonly awaitProofs: (environments: readonly string[]) => Promise<unknown>;
  /** Copies one environment's log into a new folder. Throws a `Problem` where the audit log is damaged. */
  readonly exportLog: (environment: string, out: string) => Promise<unknown>;
  /** Proofs by record number; missing records have none. Throws a `Problem` if the audit log is damaged. */
  readonly proveRecords: (seqs: readonly number[]) => Promise<ReadonlyMap<number, string>>;
  readonly ledgerBytes: () => number;
  /** Whole or not at all, also when the machine stops. */
  readonly write: (path: string, text: string) => void;
}

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

/** A larger log is not copied automatically: the proofs cover the decisive records. */
const EVIDENCE_BYTES_MAX = 1024 * 1024 * 1024;

/** `evidenceBytesMax` = the largest log that is copied. */
export async function fillIncidentFolder(
  ports: IncidentFolderPorts,
  incident: ReportParts["incident"],
  radius: ReportParts["radius"],
  evidenceBytesMax: number = EVIDENCE_BYTES_MAX,
): Promise<WrittenIncident> {
  if (!isIncidentId(incident.id)) throw new TypeError("an incident's id names a folder");
  const folder = join(ports.root, incident.id);
  makeFolder(folder);
  // The suspension is the newest record there is: evidence without it would be of before.
  await ports.awaitProofs([incident.environment, SYSTEM_REALM]);
  const evidence = await freezeEvidence(ports, folder, incident.environment, evidenceBytesMax);
  const proofs = await writeProofs(ports, folder, radius);
  const report = makeReport({ incident, radius, proofs, evidence });
  const paths = { reportFile: join(folder, "report.md"), htmlFile: join(folder, "report.html") };
  const texts = { report: formatMarkdown(report), html: formatHtml(report) };
  ports.write(paths.reportFile, texts.report);
  ports.write(paths.htmlFile, texts.html);
  ports.write(join(folder, "report.json"), `${JSON.stringify({ incident, radius, proofs, evidence }, null, 2)}\n`);
  return {
    ...texts,
    ...paths,
    folder,
    evidence: evidence.folders.map((name) => join(folder, name)),
    proofs: proofs.filter(({ file }) => file !== null).length,
  };
}

/** Once: what is there is of the time when the incident was opened, and stays. */
async function freezeEvidence(
  ports: IncidentFolderPorts,
  folder: string,
  environment: string,
  bytesMax: number,
): Promise<FrozenEvidence> {
  makeFolder(join(folder, "evidence"));
  const names = [...new Set([environment, SYSTEM_REALM])];
  const missing = names.filter((name) => !existsSync(join(folder, "evidence", name)));
  const bytes = ports.ledgerBytes();
  if (missing.length > 0 && bytes > bytesMax)
    return {
      folders: [],
      missing: `the audit log is ${bytes} bytes, too large to be copied by the way: copy it with 'sallyport audit export --format tiles --out FOLDER'; the proofs hold the records that decide`,
    };
  const failures: string[] = [];
  for (const name of missing)
    await ports
      .exportLog(name, join(folder, "evidence", name))
      .catch((cause: unknown) => failures.push(whatFailed(cause)));
  const whole = names.filter((name) => existsSync(join(folder, "evidence", name)));
  return {
    folders: whole.map((name) => `evidence/${name}`),
    missing: failures.length === 0 ? "" : `not all could be copied: ${failures.join("; ")}`,
  };
}

/** A damaged log is no reason to write no report: the report has to say it. */
function whatFailed(cause: unknown): string {
  if (!(cause instanceof Problem)) throw cause;
  return cause.message;
}

/** Named by record: one that was written before is replaced by a proof against a later checkpoint. */
async function writeProofs(
  ports: IncidentFolderPorts,
  folder: string,
  { decisive }: ReportParts["radius"],
): Promise<readonly ReportProof[]> {
  makeFolder(join(folder, "proofs"));
  const seqs = decisive.map(({ seq }) => seq);
  const proofs = await ports.proveRecords(seqs).catch((cause: unknown) => {
    whatFailed(cause);
    return new Map<number, string>();
  });
  return decisive.map(({ seq, why }) => {
    const proof = proofs.get(seq);
    if (proof === undefined) return { seq, why, file: heldProof(folder, seq) };
    ports.write(join(folder, fileOf(seq)), proof);
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

function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
}
