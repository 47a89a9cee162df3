/**
 * The store, opened: one thread that writes, one connection that reads. The caller holds the data directory's lock
 * (`lockDataDirectory()`) as long as the store is open.
 */
import { Problem } from "@sallyport/protocol";
import { CLOCK_PATIENCE_MS } from "../../kernel/clock-agreement.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Sealer } from "../../keys/sealer.ts";
import { dataPaths, isInitialized } from "../disk/data-paths.ts";
import { openSealer } from "../secrets/open-sealer.ts";
import type { Store } from "../ports.ts";
import { openReader } from "../state/reader.ts";
import type { OnDamage } from "../state/reader.ts";
import { RowKeys } from "../state/row-keys.ts";
import { openSigningKey } from "../secrets/signing-key.ts";
import { prepareStartCheck } from "../state/start-check.ts";
import { refuseOlderDirectory, upgradeDatabase } from "../state/upgrade.ts";
import { WRITER_THREAD, WriterLink } from "../writer/writer-link.ts";
import type { LedgerPolicy } from "../writer/writer-messages.ts";

export interface StoreOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly ledger: LedgerPolicy;
  /** Opens the signing key; by default, the directory's key-encryption key is used. */
  readonly sealer?: Sealer;
  /** Records in one segment, and most in the table before the oldest become one. */
  readonly segmentRecords?: number;
  /** Bounds of what waits for the writer; beyond them `append()` accepts nothing. */
  readonly queueMax?: { readonly lines: number; readonly bytes: number };
  /** Bound on the database's size in pages of 4 KiB, to try out a full disk. */
  readonly maxPages?: number;
  /** How long the wall clock must have gone evenly before anything is erased by it. */
  readonly clockPatienceMs?: number;
  /** Entry of the writer's thread. */
  readonly writerUrl?: URL;
  /** Told what the operator should read: failed commits, a rotation that has to be tried again, a dead writer. */
  readonly onTrouble?: (text: string) => void;
  /** Whether an older database is upgraded. By default it is not changed: `schema_older`. */
  readonly upgrades?: boolean;
  /** Told of each damaged row that is met, each time. */
  readonly onDamage?: OnDamage;
  /** Told once where rows are not what the gateway wrote and that is found after the start: it must not go on. */
  readonly onStateDiffers?: (problem: Problem) => void;
  /** Told what happens and is no trouble: an upgrade of the database. */
  readonly onNotice?: (text: string) => void;
}

const SEGMENT_RECORDS = 50_000;
const QUEUE_MAX = { lines: 65_536, bytes: 64 * 1024 * 1024 };

/** Throws `data_missing` where nothing was initialised, `schema_older` for an older database that is not to be upgraded, `store_unavailable` where the store cannot be trusted or opened. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { directory, clock, ledger } = options;
  if (!isInitialized(directory)) throw new Problem("data_missing", directory);
  const signingKey = openSigningKey(dataPaths(directory), options.sealer ?? openSealer(directory));
  if (options.upgrades) upgradeDatabase({ directory, clock, signingKey, onNotice: options.onNotice ?? (() => {}) });
  else refuseOlderDirectory(directory);
  const onTrouble = options.onTrouble ?? (() => {});
  const tell = (problem: Problem): void => (options.onStateDiffers ?? (({ message }) => onTrouble(message)))(problem);
  const check = await prepareStartCheck(dataPaths(directory), signingKey, tell);
  const { segmentRecords = SEGMENT_RECORDS, maxPages = null, clockPatienceMs = CLOCK_PATIENCE_MS } = options;
  const link = new WriterLink({
    url: options.writerUrl ?? WRITER_THREAD,
    writer: { directory, signingKey, ledger, segmentRecords, maxPages, now: clock.now(), clockPatienceMs },
    clock,
    queueMax: options.queueMax ?? QUEUE_MAX,
    onTrouble,
  });
  await link.ready();
  const codes = { keys: new RowKeys(signingKey), isPolicyChecked: check.isDone };
  const reader = openReader(directory, codes, options.onDamage);
  check.begin();
  let closed: Promise<void> | undefined;
  return {
    reader,
    isWritable: () => link.isWritable,
    takesChanges: () => link.takesChanges,
    headAt: link.headAt,
    figures: () => link.figures(),
    append: (line, isAwaited) => link.append(line, isAwaited),
    isDurable: (ticket) => link.isDurable(ticket),
    whenDurable: (ticket, then) => link.whenDurable(ticket, then),
    change: (change) => link.change(change),
    replica: link,
    noteUses: (uses) => link.noteUses(uses),
    countUsage: (corrections) => link.countUsage(corrections),
    // Listeners of the last commits may still read, so the reader is closed last.
    close: () => (closed ??= Promise.all([check.stop(), link.close()]).then(() => reader.close())),
  };
}
