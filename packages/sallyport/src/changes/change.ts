/**
 * A change of state and the event that records it, committed in one transaction by the one writer or not at all. A change
 * without an event cannot be written down: the type demands both. A change is data, so that it can be sent to another
 * thread or another node, and says in which version of this vocabulary it is written.
 */
import { Problem } from "@sallyport/protocol";
import type { PolicyOperation } from "../access/operations.ts";
import type { PostureOperation } from "../access/posture/finding-record.ts";
import type { RightsizingOperation } from "../access/rightsizing/rightsizing.ts";
import type { LedgerEvent } from "../audit/event.ts";
import type { LocalLoginOperation } from "../identity/operations.ts";
import type { KeyOperation } from "../keys/operations.ts";
import type { ReviewOperation } from "../reviews/review.ts";
import type { TokenOperation } from "../tokens/operations.ts";

export type Operation =
  | PolicyOperation
  | PostureOperation
  | RightsizingOperation
  | KeyOperation
  | TokenOperation
  | LocalLoginOperation
  | ReviewOperation;

export interface Change {
  readonly operations: readonly Operation[];
  /** At least one. */
  readonly events: readonly [LedgerEvent, ...LedgerEvent[]];
  /** Rejected with `conflict` if the store's epoch has changed; omitted to accept any. */
  readonly expectEpoch?: number;
  /** It only takes rights away, so it may use the room that a full disk keeps for that. Set where every change passes. */
  readonly isNarrowing?: boolean;
}

/** A change that is on disk. `seq`: number of its last record in the audit log. */
export interface Acknowledged {
  readonly epoch: number;
  readonly seq: number;
}

/** Changes, as the domains see them. */
export interface Changes {
  /**
   * Runs `work` when no other change is being judged or made, so that what it reads is still true when it commits. Do not
   * take a turn inside a turn: it would wait for itself.
   */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Only inside a turn. Resolves with the new epoch and the number of its last record once the change and its events are on disk, every view shows it,
   * and requests that are no longer allowed are aborted. Rejects with a `Problem`: `conflict`, `not_found` or
   * `store_unavailable`.
   */
  change(change: Change): Promise<Acknowledged>;
}

/** Counted up when an operation comes, goes or means something else. */
export const CHANGE_VERSION = 1;

const KNOWN: { readonly [O in Operation["op"]]: true } = {
  "environment.put": true,
  "environment.remove": true,
  "role.put": true,
  "role.remove": true,
  "principal.put": true,
  "group.put": true,
  "group.remove": true,
  "assignment.put": true,
  "assignment.remove": true,
  "key.insert": true,
  "key.state": true,
  "key.life": true,
  "key.factors": true,
  "key.admin": true,
  "ticket.put": true,
  "restriction.put": true,
  "restriction.remove": true,
  "tokenKey.insert": true,
  "tokenKey.remove": true,
  "token.revoke": true,
  "localLogin.put": true,
  "localLogin.remove": true,
  "finding.put": true,
  "finding.remove": true,
  "rightsizing.put": true,
  "key.narrow": true,
  "review.put": true,
  "review.freeze": true,
  "review.line": true,
};

/** Which program wrote a change, and in which version of the vocabulary. */
export interface Origin {
  readonly version: number;
  /** `sallyport/0.1.0` */
  readonly program: string;
}

/** Throws `change_unknown` for a change of which this program does not know everything: half of it would be another change. */
export function demandKnown({ version, program }: Origin, operations: readonly { readonly op: string }[]): void {
  const strange = operations.find(({ op }) => !Object.hasOwn(KNOWN, op));
  if (version === CHANGE_VERSION && !strange) return;
  const what = strange ? `the operation ${JSON.stringify(strange.op)}` : `version ${version} of changes`;
  throw new Problem("change_unknown", `${program} wrote ${what}, which this program does not know`);
}
