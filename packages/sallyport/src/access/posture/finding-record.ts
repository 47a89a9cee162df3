/**
 * What is kept of a finding: since when it is known, whether someone accepted it, and when it was fixed. Findings
 * themselves are computed on demand.
 */
import type { FindingCode } from "@sallyport/protocol";

export interface FindingRecord {
  /** `<environment>/<code>/<subject>`. */
  readonly id: string;
  readonly environment: string;
  readonly code: FindingCode;
  readonly subject: string;
  /** Epoch ms. */
  readonly firstSeenAt: number;
  /** Epoch ms; null while it is there. */
  readonly fixedAt: number | null;
  readonly acceptance: FindingAcceptance | null;
}

export interface FindingAcceptance {
  /** Epoch ms: from then on the finding is open again. */
  readonly until: number;
  readonly reason: string;
  /** Who accepted it, as recorded. */
  readonly by: string;
  /** Epoch ms. */
  readonly at: number;
}

export type PostureOperation =
  | { readonly op: "finding.put"; readonly finding: FindingRecord }
  | { readonly op: "finding.remove"; readonly id: string };

export interface FindingImage {
  readonly of: "finding";
  readonly id: string;
  readonly now: FindingRecord | null;
}

export function findingId({
  environment,
  code,
  subject,
}: Pick<FindingRecord, "environment" | "code" | "subject">): string {
  return `${environment}/${code}/${subject}`;
}

export type FindingStatus = "open" | "accepted" | "fixed";

/** An acceptance ends with its date; no one has to end it. */
export function statusOf(record: FindingRecord | undefined, isPresent: boolean, now: number): FindingStatus {
  if (!isPresent) return "fixed";
  return record?.acceptance && now < record.acceptance.until ? "accepted" : "open";
}
