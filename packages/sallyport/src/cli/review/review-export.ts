/** A closed review as `report.json` has it: everything that the other files of a report are made from. */
import type { ExportedLine, ReviewView } from "@sallyport/contract";
import type { Clause } from "./review-clauses.ts";

export const REVIEW_FORMAT = "sallyport-review/v1";

export interface ReviewDocument {
  readonly format: typeof REVIEW_FORMAT;
  /** Which program made HTML and CSV of it. */
  readonly program: string;
  readonly review: ReviewView;
  readonly canarySalt: string;
  readonly lines: readonly ExportedLine[];
  /** The audit log's records about it, with the line each is about. */
  readonly records: readonly { readonly seq: number; readonly type: string; readonly line: number | null }[];
  readonly clauses: readonly Clause[];
}
