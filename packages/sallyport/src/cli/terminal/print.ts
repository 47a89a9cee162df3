/** Plain aligned text for people; `--json` prints the same facts on one line for scripts. */
import { visibleLine } from "../../kernel/visible-text.ts";
import type { Io } from "./io.ts";
import { heading as headingOf, textOf, warning, withCommands } from "./styled-line.ts";
import type { Line, Piece, StyledText } from "./styled-line.ts";

/** `lines` is asked only when a person reads. */
export function show(io: Io, isJson: boolean | undefined, value: unknown, lines: () => readonly Line[]): void {
  if (isJson) io.out(JSON.stringify(value));
  else for (const line of lines()) io.out(line);
}

/** A sentence of the program about what a person should know or do, beside the result. */
export function warn(io: Io, text: string): void {
  io.err([warning("warning:"), " ", ...withCommands(text)]);
}

/** The program's own text of several lines: help, a script, a schema. */
export function printText(io: Io, text: string): void {
  for (const line of text.split("\n")) io.out(line);
}

/** Help, as the library that reads arguments lays it out: its titles begin a line. */
export function printHelp(io: Io, text: string): void {
  for (const line of helpLines(text)) io.out(line);
}

export function helpLines(text: string): readonly Line[] {
  return text.split("\n").map((line) => {
    const title = /^(?:Usage|Arguments|Options|Commands|Examples):/.exec(line)?.[0] ?? "";
    return [headingOf(title), line.slice(title.length)];
  });
}

/** Columns as wide as their widest cell, two blanks apart; the first row is the heading. One sentence where there is no row. */
export function table(heading: readonly string[], rows: readonly (readonly Piece[])[], none: string): Line[] {
  if (rows.length === 0) return [none];
  const all = [heading.map(headingOf), ...rows.map((row) => row.map(visibleCell))];
  const natural = heading.map((_cell, column) => all.reduce((most, row) => Math.max(most, lengthOf(row[column])), 0));
  const widths = fitWidths(natural, tableWidth());
  return all.map((row) => {
    const last = row.findLastIndex((cell) => lengthOf(cell) > 0);
    return row.slice(0, last + 1).flatMap((cell, column) => paddedCell(cell, widths[column] ?? 0, column === last));
  });
}

function visibleCell(cell: Piece): Piece {
  return typeof cell === "string" ? visibleLine(cell) : { ...cell, text: visibleLine(cell.text) };
}

function lengthOf(cell: Piece = ""): number {
  return textOf(cell).length;
}

/** Without the blanks where nothing comes after it. */
function paddedCell(cell: Piece, width: number, isLast: boolean): readonly Piece[] {
  const text = cut(textOf(cell), width);
  const shown = typeof cell === "string" ? text : { ...cell, text };
  return isLast ? [shown] : [shown, " ".repeat(width - text.length + BETWEEN)];
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

type Fact = string | number | boolean | null | StyledText;

/** `name  value` lines, the values aligned. */
export function facts(pairs: Readonly<Record<string, Fact | undefined>>): Line[] {
  const names = Object.keys(pairs).filter((name) => pairs[name] !== undefined);
  const width = Math.max(...names.map((name) => name.length));
  return names.map((name) => [`${name.padEnd(width)}  `, plain(pairs[name])]);
}

export function listText(list: readonly string[] | null | "*"): string {
  if (list === "*") return "*";
  return list === null || list.length === 0 ? "-" : list.join(",");
}

/** RFC 3339; seconds are enough for a person. */
export function timeText(iso: string | null): string {
  return iso === null ? "never" : `${iso.slice(0, 19)}Z`;
}

function plain(value: Fact | undefined): Piece {
  if (value === true) return "yes";
  if (value === false) return "no";
  if (typeof value === "object" && value !== null) return value;
  return value === null || value === "" ? "-" : visibleLine(String(value));
}
