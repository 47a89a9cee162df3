/**
 * The whole ledger, line by line, as a verifier takes it: segments first, without holding anything up, then the newest
 * segments, the table and the head in one read transaction. So it runs beside a writing server, in any process.
 */
import { setImmediate as turn } from "node:timers/promises";
import { parseSignedHead, parseTreeState, parseVerifierKey } from "@sallyport/ledger";
import { isEnvironmentName, Problem } from "@sallyport/protocol";
import type { LedgerLine, LogsStart, NoteVerifier, SignedHead, TreeState } from "@sallyport/ledger";
import type { EnvironmentName } from "@sallyport/protocol";
import type { DataPaths } from "../disk/data-paths.ts";
import { ledgerCrypto } from "@sallyport/ledger/node";
import { readCounter, readMeta } from "../disk/schema.ts";
import { BOUNDED_LINE, linesForward, listSegments, seqOfLine } from "./segment-file.ts";
import type { SqlDatabase, SqlRow } from "../disk/sqlite.ts";

/** What the table's records are called in a verdict. */
export const TABLE_NAME = "sallyport.db";

/**
 * Lines between two turns of the event loop, so that a verification next to the data plane delays no request for long.
 */
const LINES_PER_TURN = 100;
const PAGE_ROWS = 100;

export class LedgerLines {
  readonly #database: SqlDatabase;
  readonly #paths: DataPaths;
  #head: SignedHead | undefined;
  #states: ReadonlyMap<string, string> = new Map();

  constructor(database: SqlDatabase, paths: DataPaths) {
    this.#database = database;
    this.#paths = paths;
  }

  /** The head that belongs to the lines; known after the last line. */
  get head(): SignedHead | undefined {
    return this.#head;
  }

  /** The trees of the logs at that moment, as the table has them. */
  get states(): ReadonlyMap<string, string> {
    return this.#states;
  }

  /** Where the logs begin. Throws `store_unavailable` where that cannot be read, unless the caller reports it. */
  start({ isLenient = false } = {}): LogsStart {
    const bases = new Map<EnvironmentName, TreeState>();
    const firstKeys = new Map<EnvironmentName, NoteVerifier>();
    const checkpoints = new Map<EnvironmentName, string>();
    const strays: string[] = [];
    const unreadable: EnvironmentName[] = [];
    for (const row of this.#database.prepare("SELECT environment, base, first_key, checkpoint FROM log").all()) {
      const environment = String(row["environment"]);
      if (!isEnvironmentName(environment)) {
        strays.push(environment);
        continue;
      }
      const base = parseTreeState(String(row["base"]));
      const key = parseVerifierKey(ledgerCrypto.sha256, String(row["first_key"]));
      if (!base || !key) {
        if (!isLenient)
          throw new Problem(
            "store_unavailable",
            `the row of the log ${environment} in table log cannot be read: run 'sallyport audit repair'`,
          );
        unreadable.push(environment);
        continue;
      }
      bases.set(environment, base);
      firstKeys.set(environment, key);
      checkpoints.set(environment, String(row["checkpoint"]));
    }
    const node = readMeta(this.#database, "node");
    return { node, from: readCounter(this.#database, "logs_from"), bases, firstKeys, checkpoints, strays, unreadable };
  }

  /** About how many lines there are, for who waits: retention and the writer may change it meanwhile. */
  estimate(): number {
    const { first, last } =
      this.#database.prepare("SELECT min(seq) AS first, max(seq) AS last FROM ledger").get() ?? {};
    const from = listSegments(this.#paths.ledger)[0]?.first ?? Number(first ?? 1);
    return Math.max(0, Number(last ?? 0) - from + 1);
  }

  async *all(): AsyncGenerator<readonly LedgerLine[]> {
    await turn();
    let lines: LedgerLine[] = [];
    for (const line of this.#inOrder()) {
      if (lines.push(line) < LINES_PER_TURN) continue;
      yield lines;
      lines = [];
      await turn();
    }
    yield lines;
  }

  /** Each record once: what stands in the newest segment and in the table is given from the segment alone. */
  async *once(): AsyncGenerator<readonly LedgerLine[]> {
    let last = 0;
    let file = "";
    for await (const lines of this.all()) {
      yield lines.filter((line) => {
        const seq = seqOfLine(line.line) ?? 0;
        const isDouble = seq === last && line.file !== file;
        [last, file] = [seq, line.file];
        return !isDouble;
      });
    }
  }

  *#inOrder(): Generator<LedgerLine> {
    // The newest of the present segments may still have its rows in the table: it is read together with them.
    const early = listSegments(this.#paths.ledger).slice(0, -1);
    for (const { name, path } of early) for (const line of linesForward(path)) yield { file: name, line };
    this.#database.exec("BEGIN");
    try {
      const head = this.#database.prepare("SELECT value FROM meta WHERE name = 'head'").get()?.["value"];
      this.#head = typeof head === "string" ? parseSignedHead(head) : undefined;
      const states = this.#database.prepare("SELECT environment, state FROM log").all();
      this.#states = new Map(states.map(({ environment, state }) => [String(environment), String(state)]));
      const rows = this.#rows();
      let row = nextOf(rows);
      for (const { first, name, path } of listSegments(this.#paths.ledger)) {
        if (first <= (early.at(-1)?.first ?? 0)) continue;
        for (const line of linesForward(path)) {
          const seq = seqOfLine(line) ?? 0;
          while (row && row.seq < seq) {
            yield row;
            row = nextOf(rows);
          }
          yield { file: name, line };
          if (row?.seq === seq) {
            yield row;
            row = nextOf(rows);
          }
        }
      }
      for (; row; row = nextOf(rows)) yield row;
    } finally {
      this.#database.exec("COMMIT");
    }
  }

  *#rows(): Generator<LedgerLine & { readonly seq: number }> {
    const page = this.#database.prepare(`SELECT seq, ${BOUNDED_LINE} FROM ledger WHERE seq > ? ORDER BY seq LIMIT ?`);
    for (let after = -1; ;) {
      const rows = page.all(after, PAGE_ROWS);
      for (const row of rows) yield { file: TABLE_NAME, line: String(row["line"]), seq: seqOf(row) };
      const last = rows.at(-1);
      if (!last) return;
      after = seqOf(last);
    }
  }
}

function nextOf<T>(rows: Generator<T>): T | undefined {
  const next = rows.next();
  return next.done ? undefined : next.value;
}

function seqOf(row: SqlRow): number {
  return Number(row["seq"]);
}
