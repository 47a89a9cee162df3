/**
 * What may spend the disk's reserve: changes that take rights away, and the gateway's own start and stop. Everything else
 * waits until there is room, so that nobody can make keys until no revocation fits any more.
 */
import type { Operation } from "../audit/change.ts";
import type { EncodedChange } from "./writer-messages.ts";

/** Each operation says it: a new one does not compile without. */
const TAKES_AWAY: { readonly [O in Operation["op"]]: (operation: Extract<Operation, { op: O }>) => boolean } = {
  "key.insert": () => false,
  "key.state": ({ state }) => state !== "active",
  "key.life": () => false,
  "key.factors": () => false,
  "key.admin": () => true,
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
  "principal.put": ({ principal }) => principal.isDisabled,
  "group.put": () => false,
  "group.remove": () => true,
  "assignment.put": () => false,
  "assignment.remove": () => true,
  "restriction.put": () => true,
  "restriction.remove": () => false,
};

export function maySpendReserve({ operations, events }: EncodedChange): boolean {
  if (operations.length === 0) return events.every((event) => event.startsWith('{"type":"server.'));
  return operations.every(takesAway);
}

function takesAway(operation: Operation): boolean {
  // The table's type pairs each name with its own operation; the compiler cannot follow that through the index.
  return (TAKES_AWAY[operation.op] as (one: Operation) => boolean)(operation);
}
