/**
 * A change of state and the event that records it, committed in one transaction by the one writer or not at all.
 * A change without an event cannot be written down: the type demands both.
 */
import type { AdminRight, Assignment, DirectoryGroup, Environment, Principal, Role } from "../access/policy.ts";
import type { LocalLogin } from "../identity/local/local-login.ts";
import type { TicketRecord } from "../keys/ticket.ts";
import type { Restriction } from "../keys/restriction.ts";
import type { KeyFactors, KeyRecord, KeyState } from "../keys/key.ts";
import type { RevokedToken } from "../tokens/revoked-tokens.ts";
import type { TokenKeyRecord } from "../tokens/token-keys.ts";
import type { LedgerEvent } from "./event.ts";

/** What of a key rotation, notices and disuse change: its secrets and what is known of their life. */
export type KeyLifeState = Pick<
  KeyRecord,
  "secrets" | "rotation" | "rotatedAt" | "frozenAt" | "lifetimeMs" | "told" | "idleSince"
>;

export type Operation =
  | { readonly op: "key.insert"; readonly key: KeyRecord }
  | {
      readonly op: "key.state";
      readonly environment: string;
      readonly id: string;
      readonly state: KeyState;
      /** Why, as a code; null for `active`. */
      readonly reason: string | null;
    }
  | { readonly op: "key.life"; readonly environment: string; readonly id: string; readonly life: KeyLifeState }
  | { readonly op: "key.factors"; readonly environment: string; readonly id: string; readonly factors: KeyFactors }
  /** What an admin key may do and hand out; it only ever gets less. */
  | { readonly op: "key.admin"; readonly environment: string; readonly id: string; readonly admin: AdminRight }
  | { readonly op: "tokenKey.insert"; readonly tokenKey: TokenKeyRecord }
  | { readonly op: "tokenKey.remove"; readonly environment: string; readonly id: string }
  | { readonly op: "token.revoke"; readonly token: RevokedToken }
  | { readonly op: "localLogin.put"; readonly login: LocalLogin }
  | { readonly op: "localLogin.remove"; readonly principal: string }
  | { readonly op: "ticket.put"; readonly ticket: TicketRecord }
  | { readonly op: "environment.put"; readonly environment: Environment }
  | { readonly op: "environment.remove"; readonly name: string }
  | { readonly op: "role.put"; readonly role: Role }
  | { readonly op: "role.remove"; readonly name: string }
  | { readonly op: "principal.put"; readonly principal: Principal }
  | { readonly op: "group.put"; readonly group: DirectoryGroup }
  | { readonly op: "group.remove"; readonly id: string }
  | { readonly op: "assignment.put"; readonly assignment: Assignment }
  | { readonly op: "assignment.remove"; readonly id: string }
  | { readonly op: "restriction.put"; readonly restriction: Restriction }
  | { readonly op: "restriction.remove"; readonly id: string };

export interface Change {
  readonly operations: readonly Operation[];
  /** At least one. */
  readonly events: readonly [LedgerEvent, ...LedgerEvent[]];
  /** Refused with `conflict` when the store's epoch is another by now; omitted = whatever it is. */
  readonly expectEpoch?: number;
  /** It only takes rights away, so it may use the room that a full disk keeps for that. Set where every change passes. */
  readonly isNarrowing?: boolean;
}

/** The single writer, as the domains see it. Rejects with a `Problem`: `conflict` or `store_unavailable`. */
export interface ChangeWriter {
  /** Resolves once the change and its events are on disk, with the new epoch. */
  change(change: Change): Promise<{ readonly epoch: number }>;
}
