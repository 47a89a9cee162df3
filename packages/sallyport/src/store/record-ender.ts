/**
 * The end of a class of records: when all of a segment's requests are older than policy keeps them, each is replaced by
 * the hash of its leaf, and the acts between them stay. Which went is said in the ledger before the first goes, so that
 * no other can go unseen. The first and the last record of a segment stay: they are what it is found by.
 */
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { EndedRuns, encodeEvent, formatEnded, parseEnded, parseKept, parseRecordLine } from "@sallyport/protocol";
import type { EndedAct } from "@sallyport/protocol";
import { inTransaction } from "./commit-group.ts";
import type { GroupParts } from "./commit-group.ts";
import type { DataPaths } from "./data-paths.ts";
import { syncDirectory } from "./durable-file.ts";
import { ledgerCrypto, treeHash } from "./ledger-crypto.ts";
import { recordClassOf } from "./record-class.ts";
import { readCounter } from "./schema.ts";
import { indexName, linesForward, listSegments, segmentEnds } from "./segment-file.ts";
import type { Segment } from "./segment-file.ts";
import type { LedgerPolicy } from "./writer-messages.ts";

const DAY_MS = 86_400_000;
const HELD_MAX = 256 * 1024;
const LINES_PER_TURN = 1_000;

export class RecordEnder {
  readonly #parts: GroupParts;
  readonly #paths: DataPaths;
  readonly #policy: LedgerPolicy;

  constructor(parts: GroupParts, paths: DataPaths, policy: LedgerPolicy) {
    this.#parts = parts;
    this.#paths = paths;
    this.#policy = policy;
  }

  /** Ends what is over, `now` in epoch ms. Killed anywhere, it goes on when it is called again. */
  async end(now: number): Promise<void> {
    const { requestDays, retentionDays } = this.#policy;
    if (requestDays >= retentionDays) return;
    const { database } = this.#parts;
    const cutoff = now - requestDays * DAY_MS;
    // Records of before the logs have no leaf that could stand for them.
    const from = Math.max(readCounter(database, "logs_from"), this.#done() + 1);
    // The newest may still have its rows in the table.
    for (const segment of listSegments(this.#paths.ledger).slice(0, -1)) {
      if (segment.first < from) continue;
      const ends = segmentEnds(segment.path);
      // What is damaged is evidence: nothing of it ends, nor of what comes after it.
      if (!ends || ends.last.at >= cutoff || !(await this.#endSegment(segment, ends.last.seq, now))) return;
      const put = database.prepare(
        "INSERT INTO meta (name, value) VALUES ('ended', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      );
      put.run(String(ends.last.seq));
    }
  }

  /** The last record of the last segment whose requests have ended. */
  #done(): number {
    const value = this.#parts.database.prepare("SELECT value FROM meta WHERE name = 'ended'").get()?.["value"];
    return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : 0;
  }

  /** False where the segment is damaged. */
  async #endSegment({ name, path, first }: Segment, last: number, now: number): Promise<boolean> {
    const aside = `${path}.tmp`;
    const runs = new EndedRuns();
    const file = await open(aside, "w", 0o600);
    try {
      let held = "";
      let count = 0;
      for (const line of endedLines(linesForward(path), first, last, (seq) => runs.add(seq))) {
        if (line === undefined) {
          await rm(aside);
          return false;
        }
        held += `${line}\n`;
        if (++count % LINES_PER_TURN === 0) await turn();
        if (held.length < HELD_MAX) continue;
        await file.appendFile(held);
        held = "";
      }
      await file.appendFile(held);
      await file.sync();
    } finally {
      await file.close();
    }
    if (runs.count === 0) await rm(aside);
    else {
      this.#record(runs.between(ledgerCrypto.sha256Text, first, last), now);
      // It holds what goes now; it is made again from what is left.
      await rm(join(this.#paths.index, indexName(name)), { force: true });
      await rename(aside, path);
      syncDirectory(this.#paths.ledger);
    }
    return true;
  }

  #record({ first, last, count, digest }: EndedAct, now: number): void {
    const fields = { class: "request", first_seq: first, last_seq: last, count, digest };
    inTransaction(this.#parts, () => {
      this.#parts.chain.append(
        encodeEvent({ type: "ledger.ended", at: now, environment: "system", actor: "gateway", fields }),
      );
      this.#parts.chain.seal(now);
    });
  }
}

/** The segment's lines as they will be; undefined at the first that is damaged. `onEnded` hears the number of each that ends. */
function* endedLines(
  lines: Iterable<string>,
  first: number,
  last: number,
  onEnded: (seq: number) => void,
): Generator<string | undefined> {
  // Held back by one: whether it names its hash depends on the one after it.
  let held:
    | { readonly seq: number; readonly environment: string; readonly prev: string | null; readonly line: string }
    | undefined;
  const written = (isBeforeRecord: boolean): string => {
    const { seq, environment, prev, line } = held!;
    const hash = isBeforeRecord ? ledgerCrypto.sha256Text(line) : null;
    return formatEnded({ seq, environment, prev, leaf: treeHash.leaf(line), hash });
  };
  for (const kept of lines) {
    const { line } = parseKept(kept);
    const record = parseRecordLine(line);
    // Ended already, by a run whose mark was not written any more.
    const before = record ? undefined : parseEnded(line);
    if (!record && !before) return void (yield undefined);
    const seq = (record ?? before)!.seq;
    const isOver = record !== undefined && seq > first && seq < last && recordClassOf(record.type) === "request";
    const hadHeld = held !== undefined;
    if (held) yield written(!isOver);
    held = undefined;
    if (before) onEnded(seq);
    if (!isOver) yield kept;
    else {
      onEnded(seq);
      held = { seq, environment: record.environment, prev: hadHeld ? null : record.prev, line };
    }
  }
  if (held) yield written(true);
}
