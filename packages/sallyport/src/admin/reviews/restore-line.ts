/** Restores what a review took away because no one had decided. It grants what it restores, so the ports ask for the scope. */
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import { assignmentText } from "../../access/policy-plan.ts";
import type { Assignment, Principal } from "../../access/policy.ts";
import type { Operation } from "../../changes/change.ts";
import type { LedgerEvent } from "../../audit/event.ts";
import { openIncidentOf } from "../../incident/incident.ts";
import type { ReviewLine, ReviewRecord } from "../../reviews/review.ts";
import { eventOf, refuseExcess } from "../call.ts";
import type { AnyCall } from "../call.ts";
import { excessAdminRight } from "../../access/attenuation.ts";
import { assignmentFields } from "../routes/recorded.ts";
import { REVIEW_REASON } from "./carry-out.ts";
import { partsOf } from "./review-subject.ts";

export interface RestoredSubject {
  readonly operations: readonly Operation[];
  readonly events: readonly LedgerEvent[];
  readonly says: string;
  /** No longer withheld. */
  readonly assignment: string | null;
}

/** Throws `conflict` where there is nothing to restore, or something else was done to it since. */
export function restoreSubject(call: AnyCall, review: ReviewRecord, line: ReviewLine): RestoredSubject {
  if (line.outcome?.what !== "suspended" || review.canaries.includes(line.line))
    throw new Problem("review_state", `line ${line.line} was not suspended by the review, or is restored already`);
  const { kind, id } = partsOf(line.entry.subject);
  switch (kind) {
    case "key":
    case "admin_key":
      return restoreKey(call, kind === "key" ? review.environment : SYSTEM_REALM, id);
    case "assignment":
      return restoreAssignment(call, line);
    case "service":
      return restoreService(call, review.environment, id);
  }
}

function restoreKey(call: AnyCall, environment: string, id: string): RestoredSubject {
  const { ports, caller } = call;
  const key = ports.keys.find(environment, id);
  if (key?.state !== "suspended" || key.reason !== REVIEW_REASON)
    throw new Problem("review_state", `the key is ${key?.state ?? "gone"}, and not by a review`);
  const incident = openIncidentOf(ports.incidents.list(), { environment, id });
  if (incident) throw new Problem("review_state", `incident ${incident.id} of this key is open`);
  if (key.admin) refuseExcess(excessAdminRight(caller.issuer.right, key.admin));
  return {
    operations: [{ op: "key.state", environment, id, state: "active", reason: null }],
    events: [eventOf(call, "key.resumed", environment, { key: id, name: key.name, owner: key.owner })],
    says: "the key is active",
    assignment: null,
  };
}

function restoreAssignment(call: AnyCall, { outcome }: ReviewLine): RestoredSubject {
  const { environments, assignments, roles } = call.ports.snapshot();
  // The row is the gateway's own, or it would not have been read.
  const assignment = JSON.parse(outcome?.undo ?? "null") as Assignment | null;
  if (!assignment) throw new Problem("review_state", "what was removed is not known");
  const { environment, right, id } = assignment;
  const missing = right.roles.filter((name) => !roles.has(name));
  if (!environments.has(environment) || missing.length > 0)
    throw new Problem(
      "review_state",
      `${missing.join(", ") || environment} no longer exists: create another assignment`,
    );
  if (assignments.get(id)) throw new Problem("review_state", "it is assigned again already");
  return {
    operations: [{ op: "assignment.put", assignment }],
    events: [eventOf(call, "assignment.created", environment, assignmentFields(assignment))],
    says: "the assignment counts again",
    assignment: assignment.source === "policy" ? assignmentText(assignment) : null,
  };
}

function restoreService(call: AnyCall, environment: string, id: string): RestoredSubject {
  const service = call.ports.snapshot().principals.get(id);
  const held = service?.bounds?.disabledIn ?? [];
  const isStopped = held.some((one) => one.source === "admin" && one.environments.includes(environment));
  if (!service || !isStopped) throw new Problem("review_state", "the service is enabled already");
  const left = held
    .map((one) =>
      one.source === "admin" ? { ...one, environments: one.environments.filter((name) => name !== environment) } : one,
    )
    .filter(({ environments }) => environments.length > 0);
  const { disabledIn: _disabledIn, ...bounds } = service.bounds ?? {};
  const principal: Principal = { ...service, bounds: left.length > 0 ? { ...bounds, disabledIn: left } : bounds };
  return {
    operations: [{ op: "principal.put", principal }],
    events: [
      eventOf(call, "principal.enabled", "system", {
        principal: id,
        kind: service.kind,
        name: service.name,
        environments: [environment],
        source: "admin",
      }),
    ],
    says: `the service is enabled in ${environment}`,
    assignment: null,
  };
}
