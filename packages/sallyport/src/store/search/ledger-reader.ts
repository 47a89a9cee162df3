/** The ledger as administration and the CLI read it: whether or not the server is running, never writing. */
import { setImmediate as turn } from "node:timers/promises";
import { cannotShow, noPins, parseCheckpoint, verifyLedger } from "@sallyport/ledger";
import { isEnvironmentName, Problem } from "@sallyport/protocol";
import type { Pins } from "@sallyport/ledger";
import { systemCodeOf } from "../../kernel/system-code.ts";
import type { AuditFilter, AuditPage, AuditRecord, AuditUses, AuditVerdict, LogSize } from "../../audit/audit-log.ts";
import type { LedgerRadius, RadiusQuestion } from "../../incident/blast-radius.ts";
import type { KeyName, UsagePage, UsageQuestion } from "../../usage/usage-report.ts";
import { dataPaths, isInitialized } from "../disk/data-paths.ts";
import { ledgerCrypto } from "@sallyport/ledger/node";
import { LedgerLines, TABLE_NAME } from "../ledger/ledger-lines.ts";
import { proveRecordsBySeq } from "../ledger/prove-records.ts";
import { proveLogGrowth } from "./log-growth.ts";
import type { GrowthQuestion, LogGrowth } from "./log-growth.ts";
import { measureRadius } from "./ledger-radius.ts";
import { surveyDecisions } from "./decision-survey.ts";
import type { DecisionQuestion, SurveyedDecisions } from "./decision-survey.ts";
import { keyUseHistories } from "../state/permission-use-rows.ts";
import type { KeyUseHistories } from "../state/permission-use-rows.ts";
import { surveyUses } from "./ledger-uses.ts";
import { recountUsage } from "./usage-rebuild.ts";
import type { RebuildFindings } from "./usage-rebuild.ts";
import { countRequests, sumUsage } from "./usage-sums.ts";
import type { UseBounds } from "./ledger-uses.ts";
import { LedgerWalk } from "./ledger-walk.ts";
import { makeMatchRecord, wantedOf } from "./record-match.ts";
import { checkSchema } from "../disk/schema.ts";
import { listSegments } from "../ledger/segment-file.ts";
import { SegmentIndexes } from "./segment-indexes.ts";
import { isSignatureGenuine, readLedgerPublicKey } from "../secrets/signing-key.ts";
import { isCorruption, openDatabase } from "../disk/sqlite.ts";

/** Others ask the same thread: after so long a search gives them a turn. */
const TURN_MS = 20;
const LINES_PER_LOOK = 64;

/** How often a verification is begun again because the ledger moved while it was being read. */
const ATTEMPTS = 20;

function isSameDamage(before: AuditVerdict | undefined, { firstDamage: found }: AuditVerdict): boolean {
  const held = before?.firstDamage;
  return held?.seq === found?.seq && held?.file === found?.file && held?.reason === found?.reason;
}

type OnRecords = (records: number, total: number) => void;

/** The same lines, counted as they are read. */
async function* counted<Line>(
  batches: AsyncIterable<readonly Line[]>,
  total: number,
  onProgress: OnRecords,
): AsyncGenerator<readonly Line[]> {
  let count = 0;
  for await (const lines of batches) {
    yield lines;
    onProgress((count += lines.length), total);
  }
}

/** Proofs that are made by one walk; numbers can be added until it begins. */
interface ProofBatch {
  readonly seqs: Set<number>;
  readonly proofs: Promise<ReadonlyMap<number, string>>;
}

export interface LedgerReader {
  search(filter: AuditFilter): Promise<readonly AuditRecord[]>;
  read(filter: AuditFilter): Promise<AuditPage>;
  /** Makes indexes that are missing; does nothing without their key. */
  care(): Promise<void>;
  verify(pins?: Pins, onProgress?: (records: number, total: number) => void): Promise<AuditVerdict>;
  /** A proof of the record with this number; null where it has none. */
  prove(seq: number): Promise<string | null>;
  uses(bounds: UseBounds): Promise<AuditUses>;
  radius(question: RadiusQuestion): Promise<LedgerRadius>;
  /** The environments that have a log, and how many records its newest checkpoint covers. */
  logs(): readonly LogSize[];
  growth(question: GrowthQuestion): Promise<LogGrowth>;
  usage(question: UsageQuestion): UsagePage;
  /** Admitted requests of each of the keys, in their order, day by day; days are inclusive. */
  requestsOf(keys: readonly KeyName[], from: number, to: number): readonly (readonly number[])[];
  /** Counts use again from the audit log. `today` in days. */
  recountUsage(today: number, onProgress: (records: number) => void): Promise<RebuildFindings>;
  /** What each of the keys did since a day, in their order. */
  histories(keys: readonly KeyName[], from: number): KeyUseHistories;
  /** What is recorded of decisions about some keys. */
  decisions(question: DecisionQuestion, onProgress: (records: number) => void): Promise<SurveyedDecisions>;
  close(): void;
}

/**
 * Open it once and keep it: the connections' files are given back only when the garbage collector comes by. With the key
 * of indexes, segments are searched by them, and `care()` makes what is missing; without it they are read whole.
 * Throws `data_missing` where nothing was initialised, `store_unavailable` where the database or public key cannot be read.
 */
export function openLedgerReader(directory: string, indexKey: Buffer | null = null): LedgerReader {
  if (!isInitialized(directory)) throw new Problem("data_missing", directory);
  const paths = dataPaths(directory);
  const publicKey = readLedgerPublicKey(paths.publicKey);
  const database = openDatabase(paths.database, { isReadOnly: true });
  checkSchema(database);
  const indexes = indexKey && new SegmentIndexes(paths.index, paths.ledger, indexKey);
  const walk = new LedgerWalk(database, paths.ledger, indexes);
  // A separate connection: its transaction must not block a search between two turns.
  const view = openDatabase(paths.database, { isReadOnly: true });
  let walking: Promise<unknown> = Promise.resolve();
  let nextProofs: ProofBatch | null = null;
  let nextVerdict: Promise<AuditVerdict> | null = null;

  /** One whole walk after another: they share the connection. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = walking.then(work, work);
    walking = done;
    return done;
  }

  function openBatch(): ProofBatch {
    const seqs = new Set<number>();
    const proofs = inTurn(() => {
      nextProofs = null;
      return proveRecordsBySeq(view, paths, [...seqs]);
    });
    return { seqs, proofs };
  }

  function verifyOnce(pins: Pins, onProgress: OnRecords): Promise<AuditVerdict> {
    const lines = new LedgerLines(view, paths);
    return verifyLedger({
      lines: counted(lines.all(), lines.estimate(), onProgress),
      crypto: ledgerCrypto,
      logs: lines.start({ isLenient: true }),
      head: () => lines.head,
      states: () => lines.states,
      verifyHead: (text, signature) => isSignatureGenuine(publicKey, text, signature),
      pins,
    });
  }

  /**
   * While the server runs, files and table are not of one moment: a rotation or a truncation between the two looks like
   * damage once. Real damage stays: a verdict of damage counts when a second look finds the very same.
   */
  async function verifyPatiently(pins: Pins, onProgress: OnRecords): Promise<AuditVerdict> {
    let before: AuditVerdict | undefined;
    for (let attempt = 1; ; attempt++) {
      const verdict = await verifyOnceMore(pins, onProgress, attempt);
      if (!verdict) continue;
      if (verdict.ok || attempt >= ATTEMPTS || isSameDamage(before, verdict)) return verdict;
      before = verdict;
    }
  }

  /** Undefined where retention removed a segment while it was being read. */
  async function verifyOnceMore(pins: Pins, onProgress: OnRecords, attempt: number): Promise<AuditVerdict | undefined> {
    try {
      return await verifyOnce(pins, onProgress);
    } catch (error) {
      if (isCorruption(error))
        return {
          ok: false,
          records: 0,
          firstDamage: { seq: 0, file: TABLE_NAME, reason: String(error) },
          unvouched: [],
          cannotShow: cannotShow(pins),
        };
      const isGone = systemCodeOf(error) === "ENOENT";
      if (!isGone || attempt >= ATTEMPTS) throw error;
      return undefined;
    }
  }

  async function search(filter: AuditFilter): Promise<readonly AuditRecord[]> {
    const { after = 0, before = Infinity, since = -Infinity, until = Infinity, limit, order } = filter;
    if (limit <= 0) return [];
    const match = makeMatchRecord(filter);
    const wanted = wantedOf(filter);
    const bounds = { after, since, until, wanted, ...(before === Infinity ? {} : { before }) };
    const found: AuditRecord[] = [];
    let count = 0;
    let turnedMs = performance.now();
    for (const line of order === "newest" ? walk.newestFirst(bounds) : walk.oldestFirst(bounds)) {
      const record = match(line);
      if (record && found.push(record) >= limit) break;
      if (line !== "" && ++count % LINES_PER_LOOK !== 0) continue;
      if (performance.now() - turnedMs < TURN_MS) continue;
      await turn();
      turnedMs = performance.now();
    }
    return found;
  }

  /** The number of the table's first or last record; 0 where it has none. */
  function edgeOf(end: "min" | "max"): number {
    return Number(database.prepare(`SELECT ${end}(seq) AS edge FROM ledger`).get()?.["edge"] ?? 0);
  }

  return {
    search,
    async read(filter) {
      const { after = 0, limit } = filter;
      // Asked before the search: what comes meanwhile is for the next page.
      const newest = edgeOf("max");
      const records = await search(filter);
      const isCut = records.length >= limit;
      const through = Math.max(after, isCut ? (records.at(-1)?.seq ?? 0) : newest);
      return { records, through, first: listSegments(paths.ledger)[0]?.first ?? edgeOf("min") };
    },
    care: async () => indexes?.care(),
    verify: (pins, onProgress) =>
      pins || onProgress
        ? inTurn(() => verifyPatiently(pins ?? noPins, onProgress ?? (() => {})))
        : // Those that wait share the next one, which begins after they asked.
          (nextVerdict ??= inTurn(() => {
            nextVerdict = null;
            return verifyPatiently(noPins, () => {});
          })),
    async prove(seq) {
      // Those that wait share the next walk: however many are asked for, a verification waits for one.
      const { seqs, proofs } = (nextProofs ??= openBatch());
      seqs.add(seq);
      return (await proofs).get(seq) ?? null;
    },
    uses: (bounds) => surveyUses(walk, bounds),
    radius: (question) => measureRadius(walk, question),
    logs: () =>
      database
        .prepare("SELECT environment, checkpoint FROM log ORDER BY environment")
        .all()
        .flatMap(({ environment, checkpoint }) =>
          typeof environment === "string" && isEnvironmentName(environment)
            ? [{ environment, size: parseCheckpoint(String(checkpoint))?.size ?? 0 }]
            : [],
        ),
    growth: (question) => proveLogGrowth(database, paths, question),
    usage: (question) => sumUsage(database, question),
    requestsOf: (keys, from, to) => countRequests(database, keys, from, to),
    recountUsage: (today, onProgress) => recountUsage(database, walk, today, onProgress),
    histories: (keys, from) => keyUseHistories(database, keys, from),
    decisions: (question, onProgress) => surveyDecisions(walk, question, onProgress),
    close() {
      view.close();
      database.close();
    },
  };
}
