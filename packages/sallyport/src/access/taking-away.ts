/** Whether a change only takes rights away: such a change is committed on a full disk, too. Pure but for the question about keys. */
import type { Operation } from "../changes/change.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { Principal } from "./policy.ts";
import type { Rightsizing } from "./rightsizing/rightsizing.ts";
import { widens } from "./widening.ts";
import type { Changed } from "./widening.ts";

/** What there is before the change. */
export interface StateBefore {
  readonly principals: ReadonlyMap<string, Principal>;
  readonly keyOf: (environment: string, id: string) => KeyRecord | undefined;
  readonly rightsizingOf?: (environment: string, key: string) => Rightsizing | undefined;
}

type Narrows<O extends Operation["op"]> = (operation: Extract<Operation, { op: O }>, present: StateBefore) => boolean;

/** Each operation says it: a new one does not compile without. */
const TAKES_AWAY: { readonly [O in Operation["op"]]: Narrows<O> } = {
  "key.insert": () => false,
  "key.state": ({ state }) => state !== "active",
  "key.life": () => false,
  "key.factors": ({ environment, id, factors }, { keyOf }) => {
    const key = keyOf(environment, id);
    return key !== undefined && isNarrower(key, { ...key, ...factors });
  },
  "key.admin": () => true,
  "key.narrow": () => true,
  "tokenKey.insert": () => false,
  "tokenKey.remove": () => true,
  "token.revoke": () => true,
  "localLogin.put": () => false,
  "localLogin.remove": () => true,
  "ticket.put": () => false,
  "environment.put": () => false,
  "environment.remove": () => true,
  "role.put": () => false,
  "role.remove": () => true,
  "principal.put": ({ principal }, { principals }) => {
    const before = principals.get(principal.id);
    if (!before) return false;
    const isLess = principal.revocations > before.revocations || (principal.isDisabled && !before.isDisabled);
    return isLess && widens({ kind: "principal", of: before }, { kind: "principal", of: principal }).length === 0;
  },
  "group.put": () => false,
  "group.remove": () => true,
  "assignment.put": () => false,
  "assignment.remove": () => true,
  "finding.put": () => false,
  "finding.remove": () => false,
  "rightsizing.put": ({ rightsizing }, { rightsizingOf }) =>
    widens(sizedAs(rightsizingOf?.(rightsizing.environment, rightsizing.key)), sizedAs(rightsizing)).length === 0 &&
    rightsizing.state === "applied",
  "review.put": () => false,
  "review.freeze": () => false,
  // Beside the operation that takes away what the line is about.
  "review.line": ({ line }) => ["revoked", "narrowed", "suspended"].includes(line.outcome?.what ?? ""),
  "restriction.put": () => true,
  "restriction.remove": () => false,
};

export function takesAway(operations: readonly Operation[], present: StateBefore): boolean {
  return (
    operations.length > 0 &&
    operations.every((operation) => {
      // The table's type pairs each name with its own operation; the compiler cannot follow that through the index.
      const narrows = TAKES_AWAY[operation.op] as (one: Operation, present: StateBefore) => boolean;
      return narrows(operation, present);
    })
  );
}

/** Fewer signers, workloads or secrets, or tighter conditions. The same again is no change: it would only use up room. */
function isNarrower(before: KeyRecord, after: KeyRecord): boolean {
  return (
    JSON.stringify(before) !== JSON.stringify(after) &&
    widens({ kind: "key", of: before }, { kind: "key", of: after }).length === 0
  );
}

function sizedAs(of: Rightsizing | undefined): Changed | null {
  return of ? { kind: "rightsizing", of } : null;
}
