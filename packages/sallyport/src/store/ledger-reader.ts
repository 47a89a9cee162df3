/** The ledger as administration and the CLI read it: beside a running server or alone, never writing. */
import { cannotShow, noPins, Problem, verifyLedger } from "@sallyport/protocol";
import type { Pins } from "@sallyport/protocol";
import type { AuditFilter, AuditRecord, AuditUses, AuditVerdict } from "../audit/audit-log.ts";
import type { LedgerRadius, RadiusQuestion } from "../incident/blast-radius.ts";
import { isInitialized } from "./data-directory.ts";
import { dataPaths } from "./data-paths.ts";
import { ledgerCrypto } from "./ledger-crypto.ts";
import { LedgerLines, TABLE_NAME } from "./ledger-lines.ts";
import { measureRadius } from "./ledger-radius.ts";
import { surveyUses } from "./ledger-uses.ts";
import type { UseBounds } from "./ledger-uses.ts";
import { LedgerWalk } from "./ledger-walk.ts";
import { makeMatchRecord } from "./record-match.ts";
import { checkSchema } from "./schema.ts";
import { isSignatureGenuine, readPublicKey } from "./signing-key.ts";
import { isCorruption, openDatabase } from "./sqlite.ts";

/** How often a verification is begun again because the ledger moved while it was being read. */
const ATTEMPTS = 20;

function isSameDamage(before: AuditVerdict | undefined, { firstDamage: found }: AuditVerdict): boolean {
  const held = before?.firstDamage;
  return held?.seq === found?.seq && held?.file === found?.file && held?.reason === found?.reason;
}

export interface LedgerReader {
  search(filter: AuditFilter): readonly AuditRecord[];
  verify(pins?: Pins): Promise<AuditVerdict>;
  uses(bounds: UseBounds): Promise<AuditUses>;
  radius(question: RadiusQuestion): Promise<LedgerRadius>;
  close(): void;
}

/**
 * Open it once and keep it: the connections' files are given back only when the garbage collector comes by.
 * Throws `not_found` where nothing was initialised, `store_unavailable` where the database or public key cannot be read.
 */
export function openLedgerReader(directory: string): LedgerReader {
  if (!isInitialized(directory))
    throw new Problem("not_found", `${directory} is not initialised: run 'sallyport init' first`);
  const paths = dataPaths(directory);
  const publicKey = readPublicKey(paths.publicKey);
  const database = openDatabase(paths.database, { isReadOnly: true });
  checkSchema(database);
  const walk = new LedgerWalk(database, paths.ledger);
  // A connection of its own: its transaction must not be in the way of a search between two turns.
  const view = openDatabase(paths.database, { isReadOnly: true });
  let verifying: Promise<unknown> = Promise.resolve();

  function verifyOnce(pins: Pins): Promise<AuditVerdict> {
    const lines = new LedgerLines(view, paths);
    return verifyLedger({
      lines: lines.all(),
      crypto: ledgerCrypto,
      logs: lines.start(),
      head: () => lines.head,
      verifyHead: (text, signature) => isSignatureGenuine(publicKey, text, signature),
      pins,
    });
  }

  /**
   * Beside a running server files and table are not of one moment: a rotation or a truncation between the two looks like
   * damage once. What is damaged stays so: a verdict of damage is believed when a second look finds the very same.
   */
  async function verifyPatiently(pins: Pins): Promise<AuditVerdict> {
    let before: AuditVerdict | undefined;
    for (let attempt = 1; ; attempt++) {
      const verdict = await verifyOnceMore(pins, attempt);
      if (!verdict) continue;
      if (verdict.ok || attempt >= ATTEMPTS || isSameDamage(before, verdict)) return verdict;
      before = verdict;
    }
  }

  /** Undefined where retention removed a segment while it was being read. */
  async function verifyOnceMore(pins: Pins, attempt: number): Promise<AuditVerdict | undefined> {
    try {
      return await verifyOnce(pins);
    } catch (error) {
      if (isCorruption(error))
        return {
          ok: false,
          records: 0,
          firstDamage: { seq: 0, file: TABLE_NAME, reason: String(error) },
          unvouched: [],
          cannotShow: cannotShow(pins),
        };
      const isGone = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!isGone || attempt >= ATTEMPTS) throw error;
      return undefined;
    }
  }

  return {
    search(filter: AuditFilter): readonly AuditRecord[] {
      const { after = 0, since = -Infinity, until = Infinity, limit, order } = filter;
      const match = makeMatchRecord(filter);
      const found: AuditRecord[] = [];
      const lines =
        order === "newest" ? walk.newestFirst({ after, since, until }) : walk.oldestFirst({ after, since, until });
      if (limit <= 0) return found;
      for (const line of lines) {
        const record = match(line);
        if (record && found.push(record) >= limit) break;
      }
      return found;
    },
    verify(pins = noPins): Promise<AuditVerdict> {
      const work = (): Promise<AuditVerdict> => verifyPatiently(pins);
      // One after another: they share the connection.
      const verdict = verifying.then(work, work);
      verifying = verdict;
      return verdict;
    },
    uses: (bounds) => surveyUses(walk, bounds),
    radius: (question) => measureRadius(walk, question),
    close() {
      view.close();
      database.close();
    },
  };
}
