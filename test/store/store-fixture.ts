/** Stores in temporary directories, on a clock that stands still until it is told to move. */
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { encodeEvent } from "@sallyport/ledger";
import {
  bindDatabase,
  dataPaths,
  defaultEnvironment,
  environmentRow,
  initDataDirectory,
  newKey,
  openDatabase,
  openSealer,
  openSigningKey,
  openStore,
  takesAway,
} from "../program-under-test.ts";
import type { Change, KeyRecord, LedgerEvent, Operation, Store, StoreOptions } from "../program-under-test.ts";

export const DAY_MS = 86_400_000;
export const START_MS = 1_760_000_000_000;

export class StandingClock {
  ms = 0;
  now(): number {
    return START_MS + this.ms;
  }
  monotonic(): number {
    return this.ms;
  }
}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** An initialised data directory that goes away with the test. */
export function makeDirectory(): string {
  const root = mkdtempSync(join(tmpdir(), "sallyport-store-"));
  closers.push(() => rmSync(root, { recursive: true, force: true }));
  const directory = join(root, "data");
  initDirectory(directory);
  return directory;
}

/** A copy of the directory as a kill would leave it now; it goes away with the test. */
export function killed(directory: string): string {
  const root = mkdtempSync(join(tmpdir(), "sallyport-killed-"));
  closers.push(() => rmSync(root, { recursive: true, force: true }));
  const copy = join(root, "data");
  // A kill is one instant, and a copy is not: it counts only if the writer changed nothing meanwhile.
  for (let before = ""; ;) {
    try {
      before = filesOf(directory);
      cpSync(directory, copy, { recursive: true });
      if (filesOf(directory) === before) return copy;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    }
    rmSync(copy, { recursive: true, force: true });
  }
}

function filesOf(directory: string): string {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => {
      const { size, mtimeMs } = statSync(join(directory, name));
      return `${name} ${size} ${mtimeMs}`;
    })
    .join("\n");
}

/** Initialises the directory, with the environments that the tests' records are of. */
export function initDirectory(directory: string): void {
  initDataDirectory(directory);
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: false });
  const put = database.prepare(`INSERT INTO environment VALUES (${Array.from({ length: 17 }, () => "?").join(", ")})`);
  for (const name of ["dev", "staging", "prod"]) put.run(...environmentRow({ ...defaultEnvironment, name }));
  database.close();
  rebind(directory);
}

/** Binds the rows as they are: what a test wrote past the store counts as the gateway's own. */
export function rebind(directory: string): void {
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: false });
  database.exec("BEGIN IMMEDIATE");
  bindDatabase(database, openSigningKey(dataPaths(directory), openSealer(directory)));
  database.exec("COMMIT");
  database.close();
}

export interface Opened {
  readonly store: Store;
  readonly clock: StandingClock;
  readonly directory: string;
  readonly troubles: string[];
}

export async function open(options: Partial<StoreOptions> = {}): Promise<Opened> {
  const clock = new StandingClock();
  const directory = options.directory ?? makeDirectory();
  const troubles: string[] = [];
  const ledger = {
    retentionDays: 3_650,
    retentionBytes: 1e12,
    reserveBytes: 64 * 1024,
    requestDays: 3_650,
    personalDays: 3_650,
    securityPersonalDays: 3_650,
  };
  const store = await openStore({
    clock,
    ledger,
    clockPatienceMs: 0,
    upgrades: true,
    ...options,
    directory,
    onTrouble: (text) => troubles.push(text),
  });
  closers.push(() => store.close());
  return { store, clock, directory, troubles };
}

export function event(
  n: number | string,
  fields: LedgerEvent["fields"] = {},
  type: LedgerEvent["type"] = "key.issued",
): LedgerEvent {
  return { type, at: START_MS, environment: "dev", actor: "os:tester", fields: { n, ...fields } };
}

export function line(n: number | string, fields: LedgerEvent["fields"] = {}): string {
  return encodeEvent(event(n, fields, "request.intent"));
}

export function change(operations: readonly Operation[], n: number | string = 0, expectEpoch?: number): Change {
  const isNarrowing = takesAway(operations, { principals: new Map(), keyOf: () => undefined });
  return { operations, events: [event(n)], isNarrowing, ...(expectEpoch === undefined ? {} : { expectEpoch }) };
}

/** Resolves with whether the ticket got to the disk. */
export function settled(store: Store, ticket: number | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    if (ticket === undefined) resolve(false);
    else store.whenDurable(ticket, resolve);
  });
}

/** Appends `count` lines from `first` on, in bunches, and waits for all. */
export async function fill(store: Store, first: number, count: number, bunch = 500): Promise<void> {
  for (let n = first; n < first + count; n += bunch) {
    let ticket: number | undefined;
    for (let i = n; i < Math.min(n + bunch, first + count); i++) ticket = store.append(line(i));
    if (!(await settled(store, ticket))) throw new Error("a line was refused");
  }
}

export function key(id: string, extra: Partial<KeyRecord> = {}): KeyRecord {
  const what = {
    id: id.padEnd(12, "0"),
    environment: "dev",
    name: `key ${id}`,
    owner: "p1",
    ceiling: { roles: ["chatbot"], allow: ["infer:chat" as const], models: ["llama3.2"] },
    limits: { requests: { count: 5, windowMs: 60_000 } },
    admin: null,
    createdAt: START_MS,
    createdBy: "os:tester",
  };
  const secret = { hash: Buffer.alloc(32, 7), pepperVersion: 1, expiresAt: START_MS + DAY_MS };
  return { ...newKey(what, secret), ...extra };
}
