/** The lines of a review as CSV, safe to open in a spreadsheet. */
import { csvCell } from "../usage/usage-csv.ts";
import type { ReviewDocument } from "./review-export.ts";

const COLUMNS = [
  "line",
  "subject",
  "name",
  "owner",
  "issuer",
  "risks",
  "roles",
  "allow",
  "models",
  "permissions",
  "environments",
  "created",
  "rotated",
  "lastUsed",
  "requests",
  "canary",
  "status",
  "reviewer",
  "decision",
  "reason",
  "decidedAt",
  "shownSeconds",
  "wasChanged",
  "outcome",
  "receipt",
] as const;

export function reviewCsv({ lines, records }: ReviewDocument): string {
  // The last record about a line is what became of it.
  const receipts = new Map(records.flatMap(({ line, seq }) => (line === null ? [] : [[line, seq] as const])));
  const rows = lines.map((one) => {
    const { entry, evidence } = one.frozen;
    const { decision } = one;
    const cells: Readonly<Record<(typeof COLUMNS)[number], string | number | null | undefined>> = {
      line: one.line,
      subject: one.subject,
      name: one.name,
      owner: one.owner,
      issuer: entry.issuer,
      risks: one.risks.join(" "),
      roles: entry.roles.join(" "),
      allow: entry.allow.join(" "),
      models: entry.models?.join(" "),
      permissions: entry.permissions.join(" "),
      environments: entry.environments.join(" "),
      created: evidence.created,
      rotated: evidence.rotated,
      lastUsed: evidence.lastUsed,
      requests: evidence.requests,
      canary: one.isCanary ? "yes" : "",
      status: one.status,
      reviewer: decision?.by ?? one.assignedTo,
      decision: decision?.decision,
      reason: decision?.reason,
      decidedAt: decision?.at,
      shownSeconds: decision?.shownMs == null ? "" : String(decision.shownMs / 1_000),
      wasChanged: decision?.wasChanged ? "yes" : "",
      outcome: one.outcome?.what,
      receipt: receipts.get(one.line),
    };
    return COLUMNS.map((column) => csvCell(String(cells[column] ?? ""))).join(",");
  });
  return `${[COLUMNS.join(","), ...rows].join("\n")}\n`;
}
