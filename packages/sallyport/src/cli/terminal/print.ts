/** Plain aligned text for people; `--json` prints the same facts on one line for scripts. */
import { visibleLine } from "../../kernel/visible-text.ts";
import type { Io } from "./io.ts";

/** `lines` is asked only when a person reads. */
export function show(io: Io, isJson: boolean | undefined, value: unknown, lines: () => readonly string[]): void {
  if (isJson) io.out(JSON.stringify(value));
  else for (const line of lines()) io.out(line);
}

/** The program's own text of several lines: help, a script, a schema. */
export function printText(io: Io, text: string): void {
  for (const line of text.split("\n")) io.out(line);
}

/** Columns as wide as their widest cell, two blanks apart; the first row is the heading. One sentence where there is no row. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[], none: string): string[] {
  if (rows.length === 0) return [none];
  const all = [heading, ...rows.map((row) => row.map(visibleLine))];
  const natural = heading.map((_cell, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const widths = fitWidths(natural, tableWidth());
  return all.map((row) =>
    row
      .map((cell, column) => cut(cell, widths[column] ?? 0).padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** No column gets narrower than an id is long: ids are copied from tables. */
const LEAST_WIDTH = 12;
const BETWEEN = 2;

/** The widest column gives way until the row fits. */
export function fitWidths(natural: readonly number[], total: number): readonly number[] {
  const widths = [...natural];
  for (;;) {
    const excess = widths.reduce((sum, width) => sum + width, BETWEEN * (widths.length - 1)) - total;
    const widest = Math.max(...widths);
    if (excess <= 0 || widest <= LEAST_WIDTH) return widths;
    const second = Math.max(LEAST_WIDTH, ...widths.filter((width) => width < widest));
    widths[widths.indexOf(widest)] = Math.max(widest - excess, second < widest ? second : widest - 1);
  }
}

function cut(cell: string, width: number): string {
  return cell.length <= width ? cell : `${cell.slice(0, Math.max(0, width - 1))}…`;
}

/** A file or a pipe has no width, so nothing is truncated. */
function tableWidth(): number {
  return process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : Infinity;
}

/** `name  value` lines, the values aligned. */
export function facts(pairs: Readonly<Record<string, string | number | boolean | null | undefined>>): string[] {
  const names = Object.keys(pairs).filter((name) => pairs[name] !== undefined);
  const width = Math.max(...names.map((name) => name.length));
  return names.map((name) => `${name.padEnd(width)}  ${plain(pairs[name])}`);
}

export function listText(list: readonly string[] | null | "*"): string {
  if (list === "*") return "*";
  return list === null || list.length === 0 ? "-" : list.join(",");
}

/** RFC 3339; seconds are enough for a person. */
export function timeText(iso: string | null): string {
  return iso === null ? "never" : `${iso.slice(0, 19)}Z`;
}

function plain(value: string | number | boolean | null | undefined): string {
  if (value === true) return "yes";
  if (value === false) return "no";
  return value === null || value === "" ? "-" : visibleLine(String(value));
}
