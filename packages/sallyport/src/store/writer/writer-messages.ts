/** What the request's thread and the writer's thread say to each other. Everything is copied, nothing is shared. */
import type { KeyObject } from "node:crypto";
import type { ProblemCode } from "@sallyport/protocol";
import type { Ticket } from "../../audit/recorder.ts";
import type { Operation, Origin } from "../../changes/change.ts";
import type { LogPosition } from "../state/replica-place.ts";
import type { KeyImage } from "../../keys/operations.ts";
import type { KeyUse } from "../../keys/use-record.ts";
import type { UsageCorrections } from "../../usage/usage-difference.ts";

export interface LedgerPolicy {
  readonly retentionDays: number;
  /** Of all segments together. */
  readonly retentionBytes: number;
  /** How long the records of requests are kept; beyond it only their hashes are. */
  readonly requestDays: number;
  readonly reserveBytes: number;
  /** How long personal fields stand beside records, and beside those of administration and security. */
  readonly personalDays: number;
  readonly securityPersonalDays: number;
}

/** The writer's `workerData`. */
export interface WriterSetup {
  readonly directory: string;
  /** The ledger's private key: a handle, which prints nothing of itself. */
  readonly signingKey: KeyObject;
  readonly ledger: LedgerPolicy;
  readonly segmentRecords: number;
  /** Bound on the database's size in pages, to try out a full disk; null = the disk's own. */
  readonly maxPages: number | null;
  /** Epoch ms. */
  readonly now: number;
  /** How long the wall clock must have gone evenly before anything is erased by it. */
  readonly clockPatienceMs: number;
}

/** Of a large change, which goes in parts. */
export interface ChangePart {
  /** Of the change. */
  readonly id: number;
  readonly operations: readonly Operation[];
  readonly events: readonly string[];
}

/** What is to be done with a change of a replica: whether it would be accepted, or what the log of changes has already. */
export type LogStep = { readonly kind: "judge" } | ({ readonly kind: "apply" } & LogPosition);

/** A change with its events already encoded. */
export interface EncodedChange extends Origin {
  readonly id: number;
  readonly operations: readonly Operation[];
  readonly events: readonly string[];
  readonly expectEpoch: number | null;
  readonly isNarrowing: boolean;
  /** Null on a single machine, and for what only adds records. */
  readonly log: LogStep | null;
}

export type ToWriter =
  /** Event texts for the tickets `first`, `first + 1`…, joined by newlines: one long text is copied faster than many. */
  | { readonly kind: "lines"; readonly first: Ticket; readonly joined: string; readonly now: number }
  | { readonly kind: "change"; readonly change: EncodedChange; readonly now: number }
  /** Of a large change, before it. */
  | { readonly kind: "part"; readonly part: ChangePart; readonly now: number }
  /** When keys were used: no change and no event, merged into what is known. */
  | { readonly kind: "uses"; readonly uses: readonly KeyUse[]; readonly now: number }
  /** Everything that came before is counted in the database; with corrections, these are, too. */
  | {
      readonly kind: "count";
      readonly id: number;
      readonly corrections: UsageCorrections;
      readonly now: number;
    }
  | { readonly kind: "close" };

export interface SaidProblem {
  readonly code: ProblemCode;
  readonly detail: string;
}

export type ChangeResult =
  | {
      readonly id: number;
      readonly epoch: number;
      /** Number of its last record. */
      readonly seq: number;
      /** Of each key that was changed in part, what it is now. */
      readonly keys: readonly KeyImage[];
    }
  /** It would have been accepted; nothing was written. */
  | { readonly id: number; readonly isJudged: true }
  | { readonly id: number; readonly problem: SaidProblem };

export type FromWriter =
  | { readonly kind: "ready"; readonly isOpen: boolean; readonly records: number; readonly headAt: number | null }
  | { readonly kind: "failed"; readonly problem: SaidProblem }
  | {
      /** One group is done. Tickets come in order: all up to `through` that were open are on disk, or none of them. */
      readonly kind: "settled";
      readonly lines: { readonly through: Ticket; readonly isOnDisk: boolean } | null;
      readonly changes: readonly ChangeResult[];
      /** Whether inference may be recorded now. */
      readonly isOpen: boolean;
      /** Whether a revocation would be committed now. */
      readonly takesChanges: boolean;
      /** How long the group's commit took, and how many records the ledger has had since its beginning. */
      readonly commitMs: number;
      readonly records: number;
    }
  /** The answer to `count`; false where the database could not be written. */
  | { readonly kind: "counted"; readonly id: number; readonly isDone: boolean }
  /** Something the operator should read in the log; nothing is lost by it. */
  | { readonly kind: "trouble"; readonly text: string };

export function maySpendReserve({ operations, events, isNarrowing }: EncodedChange): boolean {
  return isNarrowing || (operations.length === 0 && events.every((event) => event.startsWith('{"type":"server.')));
}
