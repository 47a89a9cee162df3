/** The ledger as administration and sinks read it: port to the store's ledger reader. */
import type { EnvironmentName } from "@sallyport/protocol";
import type { LedgerRadius, RadiusQuestion } from "../incident/blast-radius.ts";

export interface AuditFilter {
  readonly actor?: string;
  /** A key's id: what it did, and what was done to it. */
  readonly key?: string;
  /** A principal's id: what they or their keys did. */
  readonly principal?: string;
  readonly type?: string;
  readonly code?: string;
  readonly environment?: string;
  readonly model?: string;
  /** An address, or a network in CIDR form. */
  readonly address?: string;
  /** Any of these, in addition to `environment`. */
  readonly environments?: readonly string[];
  /** Any of these types. */
  readonly types?: readonly string[];
  /** Epoch ms, inclusive. */
  readonly since?: number;
  readonly until?: number;
  /** Only records with a sequence number above this one (tail, paging forward). */
  readonly after?: number;
  /** Only records with a sequence number below this one (paging back). */
  readonly before?: number;
  readonly limit: number;
  readonly order: "newest" | "oldest";
}

/** What a continuing reader gets in addition to the records. */
export interface AuditPage {
  readonly records: readonly AuditRecord[];
  /** Oldest first: everything up to this number was looked at, so reading goes on after it. */
  readonly through: number;
  /** Number of the oldest record that is kept; 0 without records. */
  readonly first: number;
}

export interface AuditRecord {
  readonly seq: number;
  readonly at: number;
  readonly environment: string;
  readonly type: string;
  readonly actor: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface AuditVerdict {
  readonly ok: boolean;
  readonly records: number;
  /** Where and what; absent when ok. */
  readonly firstDamage?: { readonly seq: number; readonly file: string; readonly reason: string };
  /** Times at which something may be missing: epoch ms, after the record with this number. */
  readonly unvouched: readonly {
    readonly after: number;
    readonly from: number;
    readonly to: number;
    readonly reason: string;
  }[];
  /** What a verification of this kind cannot show. */
  readonly cannotShow: readonly string[];
}

/** Permissions that keys used, by the intents of a time. */
export interface AuditUses {
  /** Epoch ms: what was before is not known. */
  readonly from: number;
  readonly uses: readonly {
    readonly environment: string;
    readonly key: string;
    readonly permission: string;
    readonly count: number;
  }[];
}

/** An environment's log. */
export interface LogSize {
  readonly environment: EnvironmentName;
  /** Records its newest checkpoint covers. */
  readonly size: number;
}

export interface AuditLog {
  /** May read the whole audit log: done by a separate thread. */
  search(filter: AuditFilter): Promise<readonly AuditRecord[]>;
  /** The same, for a reader that follows the log. */
  read(filter: AuditFilter): Promise<AuditPage>;
  verify(): Promise<AuditVerdict>;
  /**
   * A C2SP tlog-proof of the record with this number, by two walks of the log; null where no checkpoint covers it (yet),
   * or it is not kept (any more).
   */
  prove(seq: number): Promise<string | null>;
  /** Between two times, epoch ms; looks back for some seconds and says how far it came. */
  uses(bounds: { readonly since: number; readonly until: number }): Promise<AuditUses>;
  /** Of every log that is kept, also those of removed environments. */
  logs(): Promise<readonly LogSize[]>;
  /** Walks the ledger from the key's making on, whole. */
  radius(question: RadiusQuestion): Promise<LedgerRadius>;
}
