/**
 * What is said about a person, by whichever road it came: a provisioning client (SCIM), a security event (CAEP), a
 * back-channel log-out, a look at a directory, or an administrator. Every road ends in the same words, and one reconciler
 * understands them.
 */
import type { Source, Voucher } from "../access/policy.ts";

/** Who is meant. Never a display name: names are given again. */
export type Subject =
  | { readonly principal: string }
  /** `externalIds`: the issuer's subjects are the ids that the provisioning client knows people by. */
  | { readonly issuer: string; readonly subject: string; readonly externalIds: boolean }
  /** Exact, and of one person only. */
  | { readonly email: string };

export interface GroupChange {
  /** All of them; what it does not name is lost. */
  readonly set?: readonly string[];
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

/** `low` and `medium` are written down; `high` acts. */
export type Risk = "low" | "medium" | "high";

export interface Said {
  readonly isActive?: boolean;
  readonly groups?: GroupChange;
  /** Signed out everywhere. */
  readonly sessionsEnded?: boolean;
  /** The person's credentials are void, keys included. */
  readonly credentialsRevoked?: boolean;
  readonly risk?: Risk;
  /** Nothing to do: written down under this name. */
  readonly note?: string;
}

export interface Statement {
  readonly source: Source;
  /** Who said it, for the order of their statements: an issuer, or an actor. */
  readonly by: string;
  /** As audit records name the actor. */
  readonly actor: string;
  /** The address of an administrator, or of a provisioning client that came over the network. */
  readonly address?: string;
  /** The event's id (`jti`) or the request's; stored in the audit log. */
  readonly event: string;
  /** True where the id is one that never comes again, so that the same event counts once. */
  readonly isOnce: boolean;
  /** When it was so, epoch ms; null where the road has no such time. Of one sender the older does not undo the newer. */
  readonly at: number | null;
  readonly subject: Subject;
  readonly says: Said;
  /** Environments the speaker's word is about; absent = all. */
  readonly within?: readonly string[];
  /** Whose delegation scope stands behind the groups it adds; absent = they count everywhere. */
  readonly voucher?: Voucher;
}
