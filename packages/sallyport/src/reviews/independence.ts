/**
 * Whether a reviewer may decide on a line: not on their own right, and not on what they issued themselves. A reviewer is
 * the actor that the gateway has authenticated; an admin key also counts as the person or service that has its name.
 * Pure.
 */
import type { PopulationEntry } from "./review.ts";

export interface ReviewerIdentity {
  readonly actor: string;
  /** Ids of the principals that the actor counts as. */
  readonly principals: readonly string[];
  /** Groups they are in. */
  readonly groups: readonly string[];
}

/** Why the reviewer may not decide; undefined = they may. `issuer`: the identity of who issued it. */
export function dependence(
  reviewer: ReviewerIdentity,
  { subject, owner, issuer }: Pick<PopulationEntry, "subject" | "owner" | "issuer">,
  identityOf: (actor: string) => ReviewerIdentity,
): string | undefined {
  if (subject === `admin_${reviewer.actor}`) return "it is the key that the reviewer uses";
  if (owner !== null && reviewer.principals.includes(owner)) return "it is the reviewer's own right";
  if (owner?.startsWith("group:") && reviewer.groups.includes(owner.slice("group:".length)))
    return "the reviewer is in the group that has the right";
  if (issuer === null) return undefined;
  if (issuer === reviewer.actor) return "the reviewer issued it";
  const shared = identityOf(issuer).principals.some((id) => reviewer.principals.includes(id));
  return shared ? "the reviewer issued it with another key" : undefined;
}
