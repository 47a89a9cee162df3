/** The files of a review's report, made from its export: the same export gives the same bytes. */
import { createHash } from "node:crypto";
import type { ExportedLine, PopulationEntryView } from "@sallyport/contract";
import { bySubject, entryText } from "../../reviews/population.ts";
import { VERSION } from "../../version.ts";
import { reviewCsv } from "./review-csv.ts";
import { clauses } from "./review-clauses.ts";
import { REVIEW_FORMAT } from "./review-export.ts";
import type { ReviewDocument } from "./review-export.ts";
import { reviewHtml } from "./review-html.ts";

export const REPORT_FILES = {
  html: "report.html",
  csv: "lines.csv",
  json: "report.json",
  population: "population.jsonl",
  proofs: "proofs.jsonl",
  checkpoint: "checkpoint.txt",
  key: "log-key.txt",
} as const;
/** SHA-256 of each file, as `sha256sum` writes it. */
export const MANIFEST = "manifest.txt";
/** The audit log's record of the manifest's hash. */
export const MANIFEST_PROOF = "manifest.tlog-proof";

export function documentOf(
  exported: Pick<ReviewDocument, "review" | "canarySalt" | "lines" | "records">,
): ReviewDocument {
  const { review, canarySalt, lines, records } = exported;
  return { format: REVIEW_FORMAT, program: `sallyport/${VERSION}`, review, canarySalt, lines, records, clauses };
}

/** What is written for people and spreadsheets, and the population. */
export function renderedFiles(document: ReviewDocument): ReadonlyMap<string, string> {
  return new Map([
    [REPORT_FILES.html, reviewHtml(document)],
    [REPORT_FILES.csv, reviewCsv(document)],
    [REPORT_FILES.population, populationText(document.lines)],
  ]);
}

export function populationOf(lines: readonly ExportedLine[]): PopulationEntryView[] {
  return lines
    .filter(({ isCanary }) => !isCanary)
    .map(({ frozen }) => frozen.entry)
    .sort(bySubject);
}

function populationText(lines: readonly ExportedLine[]): string {
  return populationOf(lines)
    .map((entry) => `${entryText(entry)}\n`)
    .join("");
}

export function manifestText(files: ReadonlyMap<string, string>): string {
  return [...files]
    .map(([name, text]) => `${sha256Of(text)}  ${name}\n`)
    .sort()
    .join("");
}

export function sha256Of(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}
