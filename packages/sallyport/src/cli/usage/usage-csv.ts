/**
 * A report as CSV (RFC 4180, with line feeds). Names are chosen by callers and opened in spreadsheets: a cell that a
 * spreadsheet would take for a formula gets an apostrophe.
 */
import { countMembers } from "./usage-columns.ts";
import type { ReportRow, SubjectMember } from "./usage-columns.ts";

const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const NEEDS_QUOTES = /[",\r\n]/;

export function csvCell(text: string): string {
  const plain = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

export function csvLines(
  rows: readonly ReportRow[],
  subject: readonly SubjectMember[],
  currency: string | null,
): string[] {
  const heading = [...subject, ...countMembers, "codes", "firstAt", "lastAt"];
  if (currency !== null) heading.push("cost", "currency");
  const lines = rows.map((row) => {
    const cells = [
      ...subject.map((member) => row[member] ?? ""),
      ...countMembers.map((member) => String(row[member])),
      Object.entries(row.codes)
        .map(([code, count]) => `${code}:${count}`)
        .join(" "),
      row.firstAt ?? "",
      row.lastAt ?? "",
    ];
    if (currency !== null) cells.push((row.cost ?? 0).toFixed(4), currency);
    return cells.map(csvCell).join(",");
  });
  return [heading.join(","), ...lines];
}
