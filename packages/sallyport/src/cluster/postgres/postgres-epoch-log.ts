/**
 * The log in PostgreSQL (15 and later). Reads have one session; the right to append has another, which holds the advisory
 * lock: losing that session is losing the right, and the fencing token makes it final.
 */
import type { EpochEntry, LogBase, LogHead } from "../authority/epoch-entry.ts";
import type { AppendResult, EpochLog, LogState, SequencerRight } from "../authority/epoch-log.ts";
import { readEntryRow, readStateRow, whole } from "./epoch-rows.ts";
import {
  APPEND,
  CLOSE_LOG,
  EPOCH_TABLES,
  INSERT_STATE,
  LOG_FORMAT,
  RAISE_FENCE,
  RENEW,
  SELECT_ENTRIES,
  SELECT_STATE,
  SEQUENCER_LOCK,
} from "./epoch-table.ts";
import type { PostgresAddress } from "../../config/postgres-address.ts";
import { PostgresSession } from "./postgres-session.ts";

/** No table is no log. */
const HAS_TABLE = "SELECT to_regclass('epoch_log_state') IS NOT NULL AS there";

export class PostgresEpochLog implements EpochLog {
  readonly #address: PostgresAddress;
  readonly #reading: PostgresSession;
  readonly #rights = new Set<PostgresRight>();
  /** Asks for the lock again and again, on one session. */
  #waiting: PostgresSession | null = null;
  #isThere = false;

  constructor(address: PostgresAddress) {
    this.#address = address;
    this.#reading = new PostgresSession(address, { name: "sallyport log", isWatched: false });
  }

  async state(): Promise<LogState | undefined> {
    this.#isThere ||= (await this.#reading.query(HAS_TABLE))[0]?.["there"] === true;
    if (!this.#isThere) return undefined;
    const [row] = await this.#reading.query(SELECT_STATE);
    return row && readStateRow(row);
  }

  async begin({ deployment, epoch, head, digest, signature }: LogBase): Promise<boolean> {
    // One string without values is one transaction: all of the tables, or none.
    await this.#reading.query(EPOCH_TABLES);
    const values = [LOG_FORMAT, deployment, epoch, head, digest, signature];
    return (await this.#reading.query(INSERT_STATE, values)).length === 1;
  }

  async read(after: number, limit: number): Promise<readonly EpochEntry[]> {
    return (await this.#reading.query(SELECT_ENTRIES, [after, limit])).map(readEntryRow);
  }

  async acquire(holder: string): Promise<SequencerRight | undefined> {
    const session = (this.#waiting ??= new PostgresSession(this.#address, {
      name: "sallyport sequencer",
      isWatched: true,
    }));
    const [lock] = await session.query("SELECT pg_try_advisory_lock($1, $2) AS held", [...SEQUENCER_LOCK]);
    if (lock?.["held"] !== true) return undefined;
    this.#waiting = null;
    try {
      const [row] = await session.query(RAISE_FENCE, [holder], { connects: false });
      if (row) {
        const right = new PostgresRight(session, readStateRow(row), () => this.#rights.delete(right));
        this.#rights.add(right);
        return right;
      }
    } catch (cause) {
      await session.close();
      throw cause;
    }
    // A log that was ended.
    await session.close();
    return undefined;
  }

  async end(right: SequencerRight, { epoch, head }: LogHead): Promise<boolean> {
    return (await this.#reading.query(CLOSE_LOG, [right.fence, epoch, head])).length === 1;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#rights].map((right) => right.release()));
    await Promise.all([this.#reading.close(), this.#waiting?.close()]);
  }
}

class PostgresRight implements SequencerRight {
  readonly state: LogState;
  readonly #session: PostgresSession;
  readonly #released: () => void;

  constructor(session: PostgresSession, state: LogState, released: () => void) {
    this.#session = session;
    this.state = state;
    this.#released = released;
  }

  get fence(): number {
    return this.state.fence;
  }

  async append(entries: readonly EpochEntry[], expected: LogHead): Promise<AppendResult> {
    const last = entries.at(-1);
    if (!last) return "appended";
    // Never on another session than the one with the lock.
    const [row = {}] = await this.#session.query(
      APPEND,
      [
        this.fence,
        expected.epoch,
        expected.head,
        last.epoch,
        last.head,
        entries.map(({ epoch }) => epoch),
        entries.map(({ previous }) => previous),
        entries.map(({ head }) => head),
        entries.map(({ author }) => author),
        entries.map(({ at }) => at),
        entries.map(({ version }) => version),
        entries.map(({ program }) => program),
        entries.map(({ operations }) => operations),
        entries.map(({ events }) => events),
        entries.map(({ signature }) => signature),
      ],
      { connects: false },
    );
    if (whole(row, "written") === entries.length) return "appended";
    const isStill = (await this.#session.query(RENEW, [this.fence, this.state.holder], { connects: false })).length;
    return isStill === 1 ? "head_moved" : "deposed";
  }

  async renew(holder: string): Promise<boolean> {
    return (await this.#session.query(RENEW, [this.fence, holder], { connects: false })).length === 1;
  }

  async release(): Promise<void> {
    this.#released();
    await this.#session.close();
  }
}
