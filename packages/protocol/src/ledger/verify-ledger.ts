/**
 * The ledger's verifier: reads every record once, in order, with nothing but a hash and a signature check handed in, so
 * that it runs in an auditor's hands as well as beside the gateway. It names the first damage it meets.
 *
 * A ledger may begin after record 1 only where retention let the beginning go: a later record of type
 * `ledger.truncated` says `first_seq` and `first_prev` of what is kept. That record is in the chain, so the signed head
 * covers it. Older records than it allows may still be there (the deletion comes after the record); fewer may not.
 */
import { FIRST_PREV, parseRecordLine } from "./record-line.ts";
import type { LedgerRecord } from "./record-line.ts";
import { headText } from "./signed-head.ts";
import type { SignedHead } from "./signed-head.ts";

/** A line without its newline, and where it was found. Bytes that are not UTF-8 are handed in as an empty line. */
export interface LedgerLine {
  readonly file: string;
  readonly line: string;
}

export interface LedgerVerification {
  readonly lines: AsyncIterable<LedgerLine>;
  /** Read after the last line, so that a source may open its consistent view late; undefined where there is none. */
  readonly head: () => SignedHead | undefined;
  /** Lower-case hex. */
  readonly sha256: (bytes: Uint8Array) => string | Promise<string>;
  /** Ed25519 over the text's UTF-8 bytes with the ledger's public key; the signature is base64. */
  readonly verifySignature: (text: string, signature: string) => boolean | Promise<boolean>;
}

export interface LedgerDamage {
  readonly seq: number;
  readonly file: string;
  readonly reason: string;
}

export interface LedgerVerdict {
  readonly ok: boolean;
  /** Records that were verified, up to the damage where there is one. */
  readonly records: number;
  readonly damage?: LedgerDamage;
  readonly cannotShow: readonly string[];
}

/** What no verification with the gateway's own files can show, in words for the one who reads the verdict. */
export const cannotShow: readonly string[] = [
  "that no older copy of the whole ledger was put back: its head was signed too; compare seq and hash with a head kept elsewhere",
  "that nobody who holds the signing key wrote the chain anew and signed it",
  "that the public key is the gateway's own, unless you have it from elsewhere",
  "that an event was recorded at all, or that what a record says is true: only that it was not changed since",
  "what was in records that retention has removed",
];

export async function verifyLedger({
  lines,
  head,
  sha256,
  verifySignature,
}: LedgerVerification): Promise<LedgerVerdict> {
  const utf8 = new TextEncoder();
  let records = 0;
  let first: LedgerRecord | undefined;
  let last = { seq: 0, hash: FIRST_PREV, line: "", file: "" };
  let allowed: { readonly seq: number; readonly prev: unknown } | undefined;
  // Two neighbours that do not fit: which of them was changed shows in what comes after them.
  let misfit: { readonly before: Place; readonly after: Place } | undefined;
  const changed = (isAfterGenuine: boolean, { before, after }: { before: Place; after: Place }): LedgerVerdict => {
    const { seq, file } = isAfterGenuine ? before : after;
    return damaged(seq, file, "the record was changed: its hash is not the one its neighbour names");
  };
  const damaged = (seq: number, file: string, reason: string): LedgerVerdict => ({
    ok: false,
    records,
    damage: { seq, file, reason },
    cannotShow,
  });

  for await (const { file, line } of lines) {
    // A segment is on disk before its rows are deleted: the same record may stand in both, one right after the other.
    if (records > 0 && line === last.line && file !== last.file) continue;
    const expected = last.seq + 1;
    const record = parseRecordLine(line);
    if (misfit) return changed(!record || record.prev === last.hash, misfit);
    if (!record) return damaged(first ? expected : 1, file, "the line is not a well-formed record");
    if (!first) {
      first = record;
      if (record.seq === 1 && record.prev !== FIRST_PREV)
        return damaged(1, file, "the first record follows another one");
    } else {
      if (record.seq !== expected)
        return damaged(expected, file, `record ${expected} is missing: record ${record.seq} stands in its place`);
      if (record.prev !== last.hash)
        misfit = { before: { seq: last.seq, file: last.file }, after: { seq: record.seq, file } };
    }
    const hashed = sha256(utf8.encode(line));
    last = { seq: record.seq, hash: typeof hashed === "string" ? hashed : await hashed, line, file };
    records++;
    if (record.type === "ledger.truncated") allowed = widerOf(allowed, record);
  }

  const signed = head();
  if (misfit) return changed(signed?.hash === last.hash, misfit);
  if (!signed) return damaged(last.seq, last.file, "there is no signed head");
  if (!(await verifySignature(headText(signed), signed.signature))) {
    return damaged(signed.seq, last.file, "the head's signature is not genuine");
  }
  if (signed.seq > last.seq)
    return damaged(last.seq + 1, last.file, `the ledger ends early: the head says ${signed.seq} records`);
  if (signed.seq < last.seq)
    return damaged(signed.seq + 1, last.file, `the ledger goes on after its signed head (${signed.seq})`);
  if (signed.hash !== last.hash)
    return damaged(last.seq, last.file, "the last record was changed: the head names another hash");
  if (first && first.seq > 1) {
    const isAllowed =
      allowed && (first.seq < allowed.seq || (first.seq === allowed.seq && first.prev === allowed.prev));
    if (!isAllowed)
      return damaged(
        1,
        last.file,
        `records 1 to ${first.seq - 1} are missing and no truncation that is recorded allows it`,
      );
  }
  return { ok: true, records, cannotShow };
}

interface Place {
  readonly seq: number;
  readonly file: string;
}

/** The truncation that lets go of more. Damaged fields allow nothing. */
function widerOf(held: { readonly seq: number; readonly prev: unknown } | undefined, record: LedgerRecord) {
  const { first_seq: seq, first_prev: prev } = record.fields;
  if (typeof seq !== "number" || seq > record.seq) return held;
  return held && held.seq >= seq ? held : { seq, prev };
}

/** The one global this needs that the language itself does not have; every browser and Node have it. */
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
