/** The ledger as administration reads it: port to the store's ledger reader. */
import type { LedgerRadius, RadiusQuestion } from "../incident/blast-radius.ts";

export interface AuditFilter {
  readonly actor?: string;
  readonly principal?: string;
  readonly type?: string;
  readonly code?: string;
  readonly environment?: string;
  readonly model?: string;
  readonly address?: string;
  /** Epoch ms, inclusive. */
  readonly since?: number;
  readonly until?: number;
  /** Only records with a sequence number above this one (tail, paging forward). */
  readonly after?: number;
  readonly limit: number;
  readonly order: "newest" | "oldest";
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

export interface AuditLog {
  /** May walk the whole ledger: answered by a thread of its own. */
  search(filter: AuditFilter): Promise<readonly AuditRecord[]>;
  verify(): Promise<AuditVerdict>;
  /** Between two times, epoch ms; looks back for some seconds and says how far it came. */
  uses(bounds: { readonly since: number; readonly until: number }): Promise<AuditUses>;
  /** Walks the ledger from the key's making on, whole. */
  radius(question: RadiusQuestion): Promise<LedgerRadius>;
}
