/**
 * What a ledger says happened after a backup: for a restored gateway, which has to be told. Only the data directory the
 * backup was made of can show that nothing is missing; every other source is taken for what it says and no more.
 */
import { hash } from "node:crypto";
import { existsSync, realpathSync, statSync } from "node:fs";
import { sep } from "node:path";
import { parseKept, parseRecordLine, parseSignedHead } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import type { LedgerRecord } from "@sallyport/ledger";
import { dataPaths } from "../disk/data-paths.ts";
import { LedgerWalk } from "../search/ledger-walk.ts";
import { checkSchema, readMeta } from "../disk/schema.ts";
import { linesForward, listSegments } from "../ledger/segment-file.ts";
import { openDatabase } from "../disk/sqlite.ts";

export const NARROWING = [
  "key.revoked",
  "key.suspended",
  "principal.disabled",
  "admin_key.revoked",
  "person.local_removed",
] as const;

export interface NarrowingRecord {
  readonly type: (typeof NARROWING)[number];
  readonly environment: string;
  readonly id: string;
}

export interface LaterRecords {
  readonly records: readonly NarrowingRecord[];
  /** Every record from the backup's last to the ledger's head was there, in one chain. */
  readonly isWhole: boolean;
}

export interface BackupPoint {
  readonly seq: number;
  readonly hash: string;
}

/** `path`: a data directory, a ledger's folder, or a file of JSON lines, but never the restored directory, `own`. */
export function readLaterRecords(path: string, after: BackupPoint, own: string): LaterRecords {
  if (!existsSync(path)) throw new Problem("not_found", `there is no ${path}`);
  if (existsSync(own) && `${realpathSync(path)}${sep}`.startsWith(`${realpathSync(own)}${sep}`))
    throw new Problem("input_invalid", `${path} belongs to the restored directory: name the earlier audit log`);
  if (!statSync(path).isDirectory()) return gather(linesForward(path), after, null);
  if (!existsSync(dataPaths(path).database)) return gather(linesOfSegments(path), after, null);
  const paths = dataPaths(path);
  const database = openDatabase(paths.database, { isReadOnly: true });
  try {
    checkSchema(database);
    const head = parseSignedHead(readMeta(database, "head")) ?? null;
    const bounds = { after: after.seq - 1, since: -Infinity, until: Infinity };
    return gather(new LedgerWalk(database, paths.ledger).oldestFirst(bounds), after, head);
  } finally {
    database.close();
  }
}

function* linesOfSegments(folder: string): Generator<string> {
  for (const { path } of listSegments(folder)) yield* linesForward(path);
}

function gather(lines: Iterable<string>, after: BackupPoint, head: BackupPoint | null): LaterRecords {
  const records: NarrowingRecord[] = [];
  // The chain as far as it is followed from the backup's last record.
  let point: BackupPoint | undefined = after.seq === 0 ? after : undefined;
  for (const kept of lines) {
    const { line } = parseKept(kept);
    const record = parseRecordLine(line);
    const said = record ?? parseLoosely(line);
    if (!said || said.seq < after.seq) continue;
    if (record?.seq === after.seq) point = pointOf(record, line).hash === after.hash ? after : undefined;
    if (said.seq === after.seq) continue;
    point =
      record && point && record.seq === point.seq + 1 && record.prev === point.hash ? pointOf(record, line) : undefined;
    if (said.type === "gateway.restored")
      throw new Problem(
        "input_invalid",
        "this is the audit log of a restored gateway: name the one that continued after the backup",
      );
    const narrowing = narrowingOf(said);
    if (narrowing) records.push(narrowing);
  }
  const isWhole = head !== null && point?.seq === head.seq && point.hash === head.hash;
  return { records, isWhole };
}

function pointOf({ seq }: LedgerRecord, line: string): BackupPoint {
  return { seq, hash: hash("sha256", line, "hex") };
}

type Said = Pick<LedgerRecord, "seq" | "type" | "environment" | "fields">;

/** A record as `audit tail --json` and log collectors have it: our members among others. */
function parseLoosely(line: string): Said | undefined {
  try {
    const { seq, type, environment, fields } = JSON.parse(line) as Partial<Said>;
    const isOne = typeof seq === "number" && typeof type === "string" && typeof environment === "string";
    return isOne && typeof fields === "object" && fields !== null ? { seq, type, environment, fields } : undefined;
  } catch {
    return undefined;
  }
}

const SAME_AS: Readonly<Partial<Record<string, NarrowingRecord["type"]>>> = {
  // A directory's decision counts like an administrator's: after a restore, only an administrator may undo it.
  "person.deactivated": "principal.disabled",
  // What a backup knows of a password or an invitation was ended by either of these.
  "person.invited": "person.local_removed",
  "person.enrolled": "person.local_removed",
};

function narrowingOf({ type, environment, fields }: Said): NarrowingRecord | undefined {
  const named = SAME_AS[type] ?? type;
  const known = NARROWING.find((one) => one === named);
  const isPerson = known === "principal.disabled" || known === "person.local_removed";
  const id = fields[isPerson ? "principal" : "key"];
  return known && typeof id === "string" && /^[0-9A-Za-z_-]{1,64}$/.test(id)
    ? { type: known, environment: environment.slice(0, 16), id }
    : undefined;
}
