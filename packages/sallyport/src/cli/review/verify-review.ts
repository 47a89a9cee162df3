/**
 * Verifies a review's report without a gateway. The audit log's record of the manifest vouches for every file; the records
 * of decisions vouch for what the report says of each line; the population gives the hash that was recorded at the start.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { ExportedLine } from "@sallyport/contract";
import { verifyRecordProof } from "@sallyport/ledger";
import type { LedgerRecord, Pins } from "@sallyport/ledger";
import { ledgerCrypto, readBounded, readPins } from "@sallyport/ledger/node";
import { canaryCommitment } from "../../reviews/canary-lines.ts";
import { PopulationHash } from "../../reviews/population.ts";
import { DecisionTally } from "../../reviews/rubber-stamp.ts";
import { VERSION } from "../../version.ts";
import { REPORT_FILES, MANIFEST, MANIFEST_PROOF, populationOf, renderedFiles, sha256Of } from "./review-document.ts";
import { REVIEW_FORMAT } from "./review-export.ts";
import type { ReviewDocument } from "./review-export.ts";

export type ReviewVerdict =
  | {
      readonly ok: true;
      readonly review: string;
      readonly lines: number;
      readonly records: number;
      /** Origin of the log that vouches for it. */
      readonly log: string;
      /** The key that its checkpoint is signed with. */
      readonly key: string;
      /** The key is one that the verifier kept. */
      readonly isPinned: boolean;
    }
  | { readonly ok: false; readonly file: string; readonly reason: string };

class Changed extends Error {
  readonly file: string;

  constructor(file: string, reason: string) {
    super(reason);
    this.file = file;
  }
}

const FILE_BYTES_MAX = 1024 ** 3;

/** `keys`: verifier keys or files of them. */
export function verifyReview(directory: string, keys: readonly string[]): ReviewVerdict {
  const pins = readPins(keys, [], []);
  try {
    return verify(directory, pins);
  } catch (cause) {
    if (cause instanceof Changed) return { ok: false, file: cause.file, reason: cause.message };
    throw cause;
  }
}

function verify(directory: string, pins: Pins): ReviewVerdict {
  const read = (name: string): Buffer => {
    const bytes = readBounded(join(directory, name), FILE_BYTES_MAX);
    if (!bytes) throw new Changed(name, "it is missing, or too large");
    return bytes;
  };
  const manifest = read(MANIFEST);
  const reported = verifyRecordProof(ledgerCrypto, read(MANIFEST_PROOF).toString("utf8"), pins);
  if (!reported.ok) throw new Changed(MANIFEST_PROOF, reported.reason);
  demand(reported.record.type === "review.reported", MANIFEST_PROOF, "it is the proof of another record");
  demand(
    reported.record.fields["manifest_sha256"] === sha256Of(manifest),
    MANIFEST,
    "it is not the manifest that the audit log has recorded",
  );
  const names = demandFiles(directory, manifest.toString("utf8"), read);
  for (const name of Object.values(REPORT_FILES)) demand(names.has(name), MANIFEST, `it does not name ${name}`);
  const document = readDocument(read(REPORT_FILES.json));
  const { review, records } = document;
  demand(reported.record.fields["review"] === review.id, REPORT_FILES.json, "it is the report of another review");
  const proved = readProofs(read(REPORT_FILES.proofs), pins, reported.origin);
  demand(
    records.length === proved.size && records.every(({ seq, type }) => proved.get(seq)?.type === type),
    REPORT_FILES.proofs,
    "its records are not those that report.json names",
  );
  demandPopulation(document, proved);
  demandLines(document, proved);
  if (document.program === `sallyport/${VERSION}`)
    for (const [name, text] of renderedFiles(document))
      demand(read(name).toString("utf8") === text, name, "it does not show what report.json says");
  const key = read(REPORT_FILES.key).toString("utf8").trimEnd();
  const isPinned = pins.keys.some(({ name }) => name === reported.origin);
  return {
    ok: true,
    review: review.id,
    lines: document.lines.length,
    records: proved.size,
    log: reported.origin,
    key,
    isPinned,
  };
}

function demand(isTrue: boolean, file: string, reason: string): asserts isTrue {
  if (!isTrue) throw new Changed(file, reason);
}

/** Every file is named with its hash, and there is no other. */
function demandFiles(directory: string, manifest: string, read: (name: string) => Buffer): ReadonlySet<string> {
  const names = new Set<string>();
  for (const line of manifest.split("\n").slice(0, -1)) {
    const [, hash, name = ""] = /^([0-9a-f]{64}) {2}([a-z.-]{1,64})$/.exec(line) ?? [];
    demand(hash !== undefined && !names.has(name), MANIFEST, "a line is not well-formed");
    demand(sha256Of(read(name)) === hash, name, "its SHA-256 is not that of the manifest");
    names.add(name);
  }
  for (const name of readdirSync(directory))
    demand(names.has(name) || name === MANIFEST || name === MANIFEST_PROOF, name, "the manifest does not name it");
  return names;
}

function readDocument(bytes: Buffer): ReviewDocument {
  try {
    const document = JSON.parse(bytes.toString("utf8")) as ReviewDocument;
    // The audit log vouches for the bytes; what cannot be read was written by another program.
    demand(document.format === REVIEW_FORMAT, REPORT_FILES.json, `its format is not ${REVIEW_FORMAT}`);
    return document;
  } catch (cause) {
    if (cause instanceof Changed) throw cause;
    throw new Changed(REPORT_FILES.json, "it is not JSON");
  }
}

function readProofs(bytes: Buffer, pins: Pins, origin: string): ReadonlyMap<number, LedgerRecord> {
  const proved = new Map<number, LedgerRecord>();
  for (const line of bytes.toString("utf8").split("\n").slice(0, -1)) {
    const { seq, proof } = JSON.parse(line) as { seq: number; proof: string };
    const verdict = verifyRecordProof(ledgerCrypto, proof, pins);
    if (!verdict.ok) throw new Changed(REPORT_FILES.proofs, `record ${seq}: ${verdict.reason}`);
    demand(verdict.record.seq === seq, REPORT_FILES.proofs, `record ${seq} is another one`);
    demand(verdict.origin === origin, REPORT_FILES.proofs, `record ${seq} is of another log`);
    proved.set(seq, verdict.record);
  }
  return proved;
}

function demandPopulation(
  { review, lines, canarySalt }: ReviewDocument,
  proved: ReadonlyMap<number, LedgerRecord>,
): void {
  const started = [...proved.values()].find(({ type }) => type === "review.started");
  demand(started !== undefined, REPORT_FILES.proofs, "the record of the start is missing");
  const hash = new PopulationHash();
  const population = populationOf(lines);
  for (const entry of population) hash.add(entry);
  const { fields } = started;
  demand(fields["review"] === review.id, REPORT_FILES.proofs, "the record of the start is of another review");
  demand(
    fields["population_sha256"] === hash.digest() && fields["entries"] === population.length,
    REPORT_FILES.json,
    "the population is not the one that was frozen",
  );
  const canaries = lines.filter(({ isCanary }) => isCanary).map(({ line }) => line);
  demand(
    fields["canary_commitment"] === canaryCommitment(canarySalt, canaries),
    REPORT_FILES.json,
    "the canary lines are not those that were committed to",
  );
  demand(fields["lines"] === lines.length, REPORT_FILES.json, "lines are missing, or there are others");
}

/** Each line says what the audit log has recorded of it, and the reviewers' figures follow from the lines. */
function demandLines({ review, lines }: ReviewDocument, proved: ReadonlyMap<number, LedgerRecord>): void {
  const last = new Map<number, LedgerRecord>();
  const restored = new Set<number>();
  for (const record of [...proved.values()].sort((a, b) => a.seq - b.seq)) {
    const { line } = record.fields;
    if (typeof line !== "number") continue;
    if (record.type === "review.restored") restored.add(line);
    else if (record.type === "review.decided" || record.type === "review.ended") last.set(line, record);
  }
  const tally = new DecisionTally(lines.filter(({ isCanary }) => isCanary).map(({ line }) => line));
  for (const line of lines) {
    demand(
      isRecorded(line, last.get(line.line), restored.has(line.line)),
      REPORT_FILES.json,
      `line ${line.line} is not what was recorded of it`,
    );
    tally.note({ line: line.line, decision: line.decision && { ...line.decision, at: Date.parse(line.decision.at) } });
  }
  const figures = (review.result?.figures ?? []).map(({ name: _name, ...one }) => one);
  demand(
    JSON.stringify(figures.map(sortedMembers)) === JSON.stringify(tally.figures().map(sortedMembers)),
    REPORT_FILES.json,
    "the reviewers' figures do not follow from the lines",
  );
}

function isRecorded(line: ExportedLine, record: LedgerRecord | undefined, isRestored: boolean): boolean {
  const { decision, outcome } = line;
  if (!record || record.fields["subject"] !== line.subject) return false;
  const what = isRestored ? "restored" : record.fields["outcome"];
  if (outcome?.what !== what) return false;
  if (record.type === "review.ended") return decision === null && line.status === "ended";
  return (
    decision !== null &&
    decision.by === record.actor &&
    decision.decision === record.fields["decision"] &&
    decision.reason === record.fields["reason"] &&
    decision.digest === record.fields["shown_sha256"] &&
    decision.shownMs === record.fields["shown_ms"] &&
    decision.wasChanged === record.fields["was_changed"] &&
    Date.parse(decision.at) === record.at
  );
}

function sortedMembers(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
