/** A report for people: a table for a terminal, or Markdown. Most compute time first, the sum last. */
import { visibleLine } from "../../kernel/visible-text.ts";
import { table } from "../terminal/print.ts";
import type { Line } from "../terminal/styled-line.ts";
import { shortCount, durationText } from "./human-units.ts";
import { totalOf } from "./usage-columns.ts";
import type { ReportRow, SubjectMember, UsageBy } from "./usage-columns.ts";

const SUBJECTS: Readonly<Record<UsageBy, readonly (readonly [heading: string, member: SubjectMember])[]>> = {
  key: [
    ["KEY", "keyName"],
    ["ENV", "environment"],
    ["OWNER", "principalName"],
  ],
  principal: [["PRINCIPAL", "principalName"]],
  team: [["TEAM", "team"]],
  model: [["MODEL", "model"]],
  environment: [["ENV", "environment"]],
  day: [["DAY", "day"]],
};
/** What is shown where a name is not known any more. */
const IDS: Partial<Record<SubjectMember, SubjectMember>> = { keyName: "key", principalName: "principal" };
const HEADING = ["REQUESTS", "DENIED", "TOKENS IN", "TOKENS OUT", "COMPUTE", "QUEUED"];
const USUAL_MODEL = "registry.ollama.ai/library/";
const NONE = "no usage in this time";

type Subject = readonly (readonly [heading: string, member: SubjectMember])[];

export function subjectOf(by: UsageBy): Subject {
  return SUBJECTS[by];
}

export function byCompute(rows: readonly ReportRow[]): readonly ReportRow[] {
  return rows.toSorted((a, b) => b.computeMs - a.computeMs || b.requests - a.requests || b.denied - a.denied);
}

export function tableLines(rows: readonly ReportRow[], subject: Subject, currency: string | null): Line[] {
  return table(headingOf(subject, currency), cellRows(rows, subject, currency), NONE);
}

export function markdownLines(rows: readonly ReportRow[], subject: Subject, currency: string | null): string[] {
  if (rows.length === 0) return [NONE];
  const line = (cells: readonly string[]): string => `| ${cells.map(markdownCell).join(" | ")} |`;
  const heading = headingOf(subject, currency);
  const rule = heading.map((_name, at) => (at < subject.length ? "---" : "---:"));
  return [line(heading), `| ${rule.join(" | ")} |`, ...cellRows(rows, subject, currency).map(line)];
}

/** Names are chosen by callers: nothing in them is markup, HTML or the end of a cell. */
export function markdownCell(text: string): string {
  return visibleLine(text).replace(/[\\`*_{}[\]()#+!|~<>&]/g, (character) =>
    character === "<" ? "&lt;" : character === ">" ? "&gt;" : character === "&" ? "&amp;" : `\\${character}`,
  );
}

function headingOf(subject: Subject, currency: string | null): string[] {
  return [...subject.map(([name]) => name), ...HEADING, ...(currency === null ? [] : [`COST ${currency}`])];
}

function cellRows(rows: readonly ReportRow[], subject: Subject, currency: string | null): string[][] {
  const total = totalOf(rows);
  return [
    ...byCompute(rows).map((row) => [
      ...subject.map(([, member]) => subjectText(row, member)),
      ...countCells(row, currency),
    ]),
    ...(rows.length === 0 ? [] : [["TOTAL", ...subject.slice(1).map(() => ""), ...countCells(total, currency)]]),
  ];
}

function subjectText(row: ReportRow, member: SubjectMember): string {
  const id = IDS[member];
  const text = row[member] ?? (id === undefined ? null : row[id]) ?? "-";
  return member === "model" && text.startsWith(USUAL_MODEL) ? text.slice(USUAL_MODEL.length) : text;
}

function countCells(row: ReportRow, currency: string | null): string[] {
  const about = row.estimated > 0 ? "~" : "";
  return [
    shortCount(row.requests),
    shortCount(row.denied),
    `${about}${shortCount(row.inputTokens)}`,
    `${about}${shortCount(row.outputTokens)}`,
    durationText(row.computeMs),
    durationText(row.queueMs),
    ...(currency === null ? [] : [(row.cost ?? 0).toFixed(2)]),
  ];
}
