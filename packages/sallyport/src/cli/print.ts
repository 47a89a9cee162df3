/** Plain aligned text for people; `--json` prints the same facts on one line for scripts. */
import type { Io } from "./io.ts";

/** `lines` is asked only when a person reads. */
export function show(io: Io, isJson: boolean | undefined, value: unknown, lines: () => readonly string[]): void {
  if (isJson) io.out(JSON.stringify(value));
  else for (const line of lines()) io.out(line);
}

/** Columns as wide as their widest cell, two blanks apart; the first row is the heading. One sentence where there is no row. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[], none: string): string[] {
  if (rows.length === 0) return [none];
  const all = [heading, ...rows];
  const widths = heading.map((_cell, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
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

/** Minutes are enough for a person. */
export function timeText(iso: string | null): string {
  return iso === null ? "never" : `${iso.slice(0, 16).replace("T", " ")}Z`;
}

function plain(value: string | number | boolean | null | undefined): string {
  if (value === true) return "yes";
  if (value === false) return "no";
  return value === null || value === "" ? "-" : String(value);
}
