/** What the rest of the program sees of the store. Reads are synchronous and read-only; every write goes to the one writer. */
import type { PolicyState } from "../access/policy.ts";
import type { FindingRecord } from "../access/posture/finding-record.ts";
import type { Rightsizing } from "../access/rightsizing/rightsizing.ts";
import type { LineCount, LineFilter, ReviewLine, ReviewRecord } from "../reviews/review.ts";
import type { Change, Origin } from "../changes/change.ts";
import type { ChangeWriter } from "../changes/feed.ts";
import type { Committed } from "../changes/image.ts";
import type { LedgerAppender } from "../audit/recorder.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { LocalLogin } from "../identity/local/local-login.ts";
import type { Restriction } from "../keys/restriction.ts";
import type { TicketRecord } from "../keys/ticket.ts";
import type { RevokedToken } from "../tokens/operations.ts";
import type { TokenKeyRecord } from "../tokens/operations.ts";
import type { KeyBriefs } from "../keys/search/key-index.ts";
import type { KeyUse } from "../keys/use-record.ts";
import type { UsageCorrections } from "../usage/usage-difference.ts";

export interface KeyFilter {
  readonly environment?: string;
  readonly owner?: string;
  /** Keys after this `environment/id`, for paging. */
  readonly after?: string;
  readonly limit?: number;
}

export interface StoreReader {
  policy(): PolicyState;
  /** Throws `record_damaged` where the row is not of its shape. */
  key(environment: string, id: string): KeyRecord | undefined;
  /** Those that are whole. */
  keys(filter: KeyFilter): readonly KeyRecord[];
  /** What a search of keys needs of each, not verified. */
  readonly keyBriefs: KeyBriefs;
  /** When the key was used, by secret and instance; see `UseRecord`. */
  keyUses(environment: string, id: string): readonly KeyUse[];
  ticket(environment: string, id: string): TicketRecord | undefined;
  /** The oldest thousand whose content is still there, those that are whole. */
  sealedTickets(): readonly TicketRecord[];
  /** Every key's environment and id, for the in-memory index. */
  eachKeyId(visit: (environment: string, id: string) => void): void;
  tokenKeys(): readonly TokenKeyRecord[];
  /** Those that are whole. */
  localLogins(): readonly LocalLogin[];
  revokedTokens(): readonly RevokedToken[];
  /** Those that are whole. */
  findings(): readonly FindingRecord[];
  /** Those that are whole. */
  reviews(): readonly ReviewRecord[];
  /** Throws `record_damaged` where the row is not of its shape, as `reviewLines` does for each of its rows. */
  reviewLine(review: string, line: number): ReviewLine | undefined;
  reviewLines(filter: LineFilter): readonly ReviewLine[];
  reviewCounts(review: string): readonly LineCount[];
  /** Those that are whole. */
  restrictions(): readonly Restriction[];
  /** Throws `record_damaged` where one is not what was written: without its row a key could do more. */
  rightsizings(): readonly Rightsizing[];
  /** Every public key of an Ollama client and the key it stands for. */
  eachOllamaSigner(visit: (fingerprint: string, environment: string, id: string) => void): void;
  close(): void;
}

/** How the writer is doing, for metrics. */
export interface LedgerFigures {
  /** Lines that were accepted and are neither on disk nor failed, and their size. */
  readonly pendingLines: number;
  readonly pendingBytes: number;
  /** How long the oldest of them has waited; 0 where none waits. */
  readonly oldestPendingMs: number;
  /** Commits since the start, their time together, and the last one's. */
  readonly commits: number;
  readonly commitMs: number;
  readonly lastCommitMs: number;
  /** Lines whose commit failed. */
  readonly refusedLines: number;
  /** Records since the beginning of the audit log. */
  readonly records: number;
}

/** How a machine that shares its changes with others writes: only what their log has. */
export interface ReplicaWriter {
  /** Resolves if the change would be accepted now; nothing is written. Rejects as `change()`. */
  judge(change: Change): Promise<void>;
  /** Writes a change that is in the log as the next epoch. `origin`: the program that made it, this one unless told. */
  apply(
    change: Change,
    position: { readonly epoch: number; readonly head: string },
    origin?: Origin,
  ): Promise<Committed>;
}

export interface Store extends ChangeWriter, LedgerAppender {
  readonly reader: StoreReader;
  readonly replica: ReplicaWriter;
  /** Merged into what is known, some time later. */
  noteUses(uses: readonly KeyUse[]): void;
  /**
   * Everything that was appended before is counted in the database when it resolves, and so are the corrections. False
   * where that could not be written.
   */
  countUsage(corrections?: UsageCorrections): Promise<boolean>;
  /** False from the first failed commit until a commit succeeds again. */
  isWritable(): boolean;
  /** False once the writer is gone: nothing can be revoked any more. */
  takesChanges(): boolean;
  /** When the newest commit before the start was made, epoch ms; null without one. */
  readonly headAt: number | null;
  figures(): LedgerFigures;
  /** Commits what is queued and closes; resolves when the files are closed. */
  close(): Promise<void>;
}
