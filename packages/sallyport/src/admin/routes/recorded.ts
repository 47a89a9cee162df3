/** The audit events that more than one route records. */
import type { Assignment, Principal } from "../../access/policy.ts";
import type { LedgerEvent } from "../../audit/event.ts";
import type { Statement } from "../../identity/statement.ts";
import { addressField, eventOf } from "../call.ts";
import type { AnyCall } from "../call.ts";

export function principalCreated(call: AnyCall, principal: Principal): LedgerEvent {
  const { id, kind, name, team, groups } = principal;
  return eventOf(call, "principal.created", "system", { principal: id, kind, name, team, groups });
}

export function assignmentCreated(call: AnyCall, assignment: Assignment): LedgerEvent {
  return eventOf(call, "assignment.created", assignment.environment, assignmentFields(assignment));
}

export function assignmentRemoved(call: AnyCall, assignment: Assignment): LedgerEvent {
  return eventOf(call, "assignment.removed", assignment.environment, assignmentFields(assignment));
}

export function assignmentFields(assignment: Assignment): LedgerEvent["fields"] {
  const { id, subject, right } = assignment;
  const models = right.models ?? null;
  return { assignment: id, ...subject, roles: right.roles, allow: right.allow, models, source: assignment.source };
}

/** An administrator's word about a principal, as the reconciler hears it. */
export function byAdmin(
  call: AnyCall,
  event: string,
): Pick<Statement, "source" | "by" | "actor" | "address" | "event"> {
  const { actor } = call.caller.issuer;
  return { source: "admin", by: actor, actor, ...addressField(call.caller), event };
}
