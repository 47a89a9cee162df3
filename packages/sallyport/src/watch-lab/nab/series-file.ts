/** The benchmark's files of numbers: comma-separated, a heading, times without a zone (read as UTC). */
export interface BenchmarkSeries {
  readonly timesMs: readonly number[];
  readonly values: readonly number[];
}

/** A file is not written as the benchmark writes them. */
export class SeriesMistake extends Error {}

/** Throws a `SeriesMistake` that describes the mistake; `name` is the file's, for the message. */
export function readSeries(text: string, name: string): BenchmarkSeries {
  const rows = table(text, name);
  return { timesMs: timesOf(rows, name), values: numbersOf(rows, "value", name) };
}

/** The scores a detector gave, in a file of `results/`. */
export function readStoredScores(text: string, name: string): number[] {
  return numbersOf(table(text, name), "anomaly_score", name);
}

/** A time as the benchmark writes it, with or without fractions of a second. */
export function timeMs(text: string, name: string): number {
  const time = Date.parse(`${text.trim().replace(" ", "T")}Z`);
  if (Number.isNaN(time)) throw new SeriesMistake(`${name}: ${text} is no time`);
  return time;
}

interface Table {
  readonly heading: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function table(text: string, name: string): Table {
  const [heading, ...rows] = text.split(/\r?\n/).filter((line) => line !== "");
  if (heading === undefined || rows.length === 0) throw new SeriesMistake(`${name}: no rows`);
  return { heading: heading.split(","), rows: rows.map((row) => row.split(",")) };
}

function timesOf({ heading, rows }: Table, name: string): number[] {
  const at = heading.indexOf("timestamp");
  if (at < 0) throw new SeriesMistake(`${name}: no column timestamp`);
  return rows.map((row) => timeMs(row[at] ?? "", name));
}

function numbersOf({ heading, rows }: Table, column: string, name: string): number[] {
  const at = heading.indexOf(column);
  if (at < 0) throw new SeriesMistake(`${name}: no column ${column}`);
  return rows.map((row) => {
    const number = Number(row[at] || NaN);
    if (Number.isNaN(number)) throw new SeriesMistake(`${name}: ${row[at]} is no number`);
    return number;
  });
}
