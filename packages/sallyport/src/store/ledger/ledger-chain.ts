/** The one place where a record gets its number, its link to the record before, and the head its signature. */
import { hash } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { EncodableEvent, EventValue } from "@sallyport/ledger";
import {
  encodeEvent,
  ENTRY_BYTES_MAX,
  formatKept,
  formatSignedHead,
  parseKept,
  parseSignedHead,
  recordLine,
  saltPersonal,
} from "@sallyport/ledger";
import { ledgerCrypto } from "@sallyport/ledger/node";
import type { EnvironmentName } from "@sallyport/protocol";
import { withoutKeys, isEnvironmentName, Problem, SYSTEM_REALM } from "@sallyport/protocol";
import { randomBase62 } from "../../kernel/ids.ts";
import { readMeta } from "../disk/schema.ts";
import type { SqlDatabase, SqlStatement } from "../disk/sqlite.ts";
import type { HeadSigner } from "../secrets/signing-key.ts";
import type { RowBinding } from "../state/row-binding.ts";
import { LedgerLogs } from "./ledger-logs.ts";
import type { LogsMark } from "./ledger-logs.ts";

/** A place in the chain: the number and hash of a record, and where the logs were. */
export interface ChainPoint {
  readonly seq: number;
  readonly hash: string;
  readonly logs: LogsMark;
}

/** Told of records as they are written; until they are committed, they may be taken back. */
export interface RecordListener {
  written(seq: number, line: string): void;
  /** All that were written after that number, and are not committed, were not. */
  takenBack(afterSeq: number): void;
  /** Everything that was written is on disk; `seq` is the last record. */
  committed(seq: number): void;
}

const noListener: RecordListener = { written: () => {}, takenBack: () => {}, committed: () => {} };

/** 131 bits. */
const SALT_LENGTH = 22;
const salt = (): string => randomBase62(SALT_LENGTH);

/** The environment of what `encodeEvent()` made. */
const ENVIRONMENT = /^\{"type":"[^"]*","at":-?\d+,"environment":"([^"]*)"/;

const SYSTEM = SYSTEM_REALM as EnvironmentName;
const none: ReadonlySet<string> = new Set();

function environmentOf(eventText: string): string | undefined {
  return ENVIRONMENT.exec(eventText)?.[1];
}

export class LedgerChain {
  readonly #database: SqlDatabase;
  readonly #signer: HeadSigner;
  readonly #logs: LedgerLogs;
  readonly #rows: RowBinding;
  readonly #insert: SqlStatement;
  readonly #last: SqlStatement;
  readonly #putHead: SqlStatement;
  readonly #listener: RecordListener;
  #seq = 0;
  #hash = "";
  #isTrusted = false;

  /** Reads the head; throws as `refresh()` does. */
  constructor(
    database: SqlDatabase,
    signer: HeadSigner,
    signingKey: KeyObject,
    rows: RowBinding,
    listener: RecordListener = noListener,
  ) {
    this.#database = database;
    this.#listener = listener;
    this.#signer = signer;
    this.#logs = new LedgerLogs(database, signingKey);
    this.#rows = rows;
    this.#insert = database.prepare("INSERT INTO ledger (seq, line) VALUES (?, ?)");
    this.#last = database.prepare("SELECT seq, line FROM ledger ORDER BY seq DESC LIMIT 1");
    this.#putHead = database.prepare("UPDATE meta SET value = ? WHERE name = 'head'");
    this.refresh();
  }

  /** Number of the last record. */
  get seq(): number {
    return this.#seq;
  }

  get point(): ChainPoint {
    return { seq: this.#seq, hash: this.#hash, logs: this.#logs.mark };
  }

  /**
   * Inside a transaction: writes one record. `eventText` is what `encodeEvent()` made. What is about an environment that
   * does not exist goes into the log of `system` (`removed`: those that this change removes). Throws `input_invalid` for
   * what is no name of an environment.
   */
  append(eventText: string, removed: ReadonlySet<string> = none): void {
    const environment = environmentOf(eventText);
    if (environment === undefined || !isEnvironmentName(environment))
      throw new Problem("input_invalid", "an event names an environment that cannot exist");
    if (!this.#logs.isKnown(environment) && !removed.has(environment)) return this.#write(aboutNone(eventText), SYSTEM);
    this.#write(eventText, environment);
  }

  /** The same, but throws nothing: records of requests are committed together, and one must not undo the others. */
  appendLine(eventText: string): void {
    const environment = environmentOf(eventText);
    const isKnown = environment !== undefined && isEnvironmentName(environment) && this.#logs.isKnown(environment);
    if (isKnown) this.#write(eventText, environment);
    else this.#write(aboutNone(eventText), SYSTEM);
  }

  #write(eventText: string, environment: EnvironmentName): void {
    // Names come from callers, and a key among them is stored nowhere.
    const kept = withoutKeys(eventText);
    const { line, beside } = this.#recordOf(kept) ?? this.#recordOf(shortenEvent(kept))!;
    this.#insert.run(this.#seq + 1, formatKept({ line, beside }));
    this.#seq++;
    this.#hash = hash("sha256", line, "hex");
    this.#logs.append(environment, line);
    this.#listener.written(this.#seq, line);
  }

  /** Undefined where it is longer than an entry of a log may be. */
  #recordOf(eventText: string) {
    const event = saltPersonal(ledgerCrypto.sha256Text, salt, eventText);
    const line = recordLine(this.#seq + 1, this.#hash, event.line);
    return Buffer.byteLength(line) > ENTRY_BYTES_MAX ? undefined : { line, beside: event.beside };
  }

  /** Inside the same transaction, last: signs the head and the logs as they are now. `at` in epoch ms. */
  seal(at: number): void {
    for (const event of this.#logs.keyChanges(at)) this.append(event);
    this.#logs.seal(at);
    this.#signHead(at);
  }

  #signHead(at: number): void {
    const state = this.#rows.settle();
    this.#putHead.run(formatSignedHead(this.#signer.sign({ seq: this.#seq, hash: this.#hash, at, state })));
  }

  /** Whether some log has records that no checkpoint covers. */
  get isBehind(): boolean {
    return this.#logs.isBehind;
  }

  /** Inside a transaction: signs a checkpoint of every log that has none of its newest record. `at` in epoch ms. */
  sealLogs(at: number): void {
    this.#logs.seal(at, true);
    this.#signHead(at);
  }

  /** Back to a point of this transaction, after a rollback to its savepoint. */
  rewind(point: ChainPoint): void {
    this.#seq = point.seq;
    this.#hash = point.hash;
    this.#logs.rewind(point.logs);
    this.#listener.takenBack(point.seq);
  }

  /** The transaction is on disk. */
  committed(): void {
    this.#listener.committed(this.#seq);
  }

  /** After a transaction that failed: the head in memory may be ahead of the database's. */
  distrust(): void {
    this.#isTrusted = false;
    this.#listener.takenBack(0);
  }

  /**
   * Reads the head from the database when the one in memory cannot be trusted. Throws `store_unavailable` if its
   * signature is not genuine or the last record is not the one it names: continuing from there would sign what another
   * program wrote.
   */
  refresh(): void {
    if (this.#isTrusted) return;
    const head = parseSignedHead(readMeta(this.#database, "head"));
    if (!head || !this.#signer.isGenuine(head)) throw damaged("its signed head is not genuine");
    const row = this.#last.get();
    // The table may be empty only before the first record: rotation leaves the newest records in it.
    if (
      row
        ? row["seq"] !== head.seq || hash("sha256", parseKept(String(row["line"])).line, "hex") !== head.hash
        : head.seq !== 0
    ) {
      throw damaged("its last record is not the one its head names");
    }
    this.#seq = head.seq;
    this.#hash = head.hash;
    this.#logs.refresh();
    this.#isTrusted = true;
  }
}

function damaged(reason: string): Problem {
  return new Problem("store_unavailable", `the audit log is damaged: ${reason}; run 'sallyport audit verify'`);
}

const ASKED_MAX = 64;

/** `eventText` is what `encodeEvent()` made. */
function aboutNone(eventText: string): string {
  const event = JSON.parse(eventText) as EncodableEvent;
  const asked = event.environment.slice(0, ASKED_MAX);
  return encodeEvent({ ...event, environment: SYSTEM_REALM, fields: { ...event.fields, asked_environment: asked } });
}

const TEXT_MAX = 512;
const LIST_MAX = 64;

/** `eventText` is what `encodeEvent()` made. */
function shortenEvent(eventText: string): string {
  const event = JSON.parse(eventText) as EncodableEvent;
  const fields: Record<string, EventValue> = {};
  for (const [name, value] of Object.entries(event.fields)) fields[name] = shorten(value);
  return encodeEvent({
    ...event,
    fields: {
      ...fields,
      is_shortened: true,
      whole_bytes: Buffer.byteLength(eventText),
      whole_sha256: hash("sha256", eventText, "hex"),
    },
  });
}

function shorten(value: EventValue): EventValue {
  if (typeof value === "string") return value.slice(0, TEXT_MAX);
  if (typeof value !== "object" || value === null) return value;
  return value.slice(0, LIST_MAX).map((text) => text.slice(0, TEXT_MAX));
}
