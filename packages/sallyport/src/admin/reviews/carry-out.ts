/**
 * What a decision, or the silence of reviewers, does to the subject of a line: operations and events for the same change
 * as the line itself. Taking away can be undone where no one decided.
 */
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import { administers, excessEnvironments } from "../../access/attenuation.ts";
import { assignmentText } from "../../access/policy-plan.ts";
import type { Assignment, Principal } from "../../access/policy.ts";
import type { Operation } from "../../changes/change.ts";
import type { EventType, LedgerEvent } from "../../audit/event.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { expiryOf } from "../../keys/key.ts";
import type { KeyRecord } from "../../keys/key.ts";
import type { ReviewOutcome } from "../../reviews/review.ts";
import { refuseExcess } from "../call.ts";
import type { AnyCall } from "../call.ts";
import { everyKey } from "../each-key.ts";
import type { AdminPorts } from "../ports.ts";
import { assignmentFields } from "../routes/recorded.ts";
import { narrowingFor } from "./review-narrowing.ts";
import type { FoundSubject } from "./review-subject.ts";

export const REVIEW_REASON = "access_review";

export interface CarriedOut {
  readonly operations: readonly Operation[];
  readonly events: readonly LedgerEvent[];
  readonly what: ReviewOutcome;
  readonly says: string;
  /** What was removed, as JSON. */
  readonly undo: string | null;
  /** An assignment of the policy file, which is not assigned again by applying the file. */
  readonly withheld: string | null;
}

export const nothingDone = (what: ReviewOutcome, says: string): CarriedOut => ({
  operations: [],
  events: [],
  what,
  says,
  undo: null,
  withheld: null,
});

type MakeEvent = (type: EventType, environment: string, fields: LedgerEvent["fields"]) => LedgerEvent;

/** On a reviewer's decision. Throws `conflict` where it cannot be done, `grant_exceeds_issuer` where it is not theirs. */
export async function revokeSubject(
  call: AnyCall,
  environment: string,
  found: FoundSubject,
  event: MakeEvent,
): Promise<CarriedOut> {
  switch (found.kind) {
    case "key":
      return endKey(found.key, "revoked", event);
    case "admin_key": {
      const { environments } = found.key.admin!;
      const { right } = call.caller.issuer;
      // It would be taken away in environments that the reviewer does not administer, too.
      refuseExcess(
        environments === "*" && right.environments !== "*"
          ? ["the admin key administers all environments, and the reviewer does not: narrow or delegate the line"]
          : excessEnvironments(right, environments === "*" ? [] : environments),
      );
      if (await isLastAdministrator(call.ports, environment, found.key)) throw new Problem("review_state", LAST);
      return endKey(found.key, "revoked", event);
    }
    case "assignment":
      return removeAssignment(found.assignment, "revoked", event);
    case "service":
      return stopService(found.service, environment, "revoked", event);
  }
}

export async function narrowSubject({ ports }: AnyCall, environment: string, found: FoundSubject): Promise<CarriedOut> {
  const narrowing = await narrowingFor(ports, environment, found);
  if (!narrowing) throw nothingLess();
  if (found.kind === "admin_key" && (await isLastAdministrator(ports, environment, found.key)))
    throw new Problem("review_state", LAST);
  return { ...nothingDone("narrowed", narrowing.says), operations: [narrowing.operation] };
}

/** The same for a canary line, which must not be told from a key. */
export function nothingLess(): Problem {
  return new Problem(
    "review_state",
    "nothing less can be left: it is written in the policy file, or its use of 30 days and more is not known, or it is no narrower; keep or revoke it",
  );
}

const LAST = "it is the last admin key that can administer the environment: create another one first";

/** No one decided. What is taken can be restored, and the last administrator stays. */
export async function suspendSubject(
  ports: AdminPorts,
  environment: string,
  found: FoundSubject,
  event: MakeEvent,
): Promise<CarriedOut> {
  switch (found.kind) {
    case "key":
    case "admin_key":
      if (found.key.state !== "active") return nothingDone("gone", `it is ${found.key.state} already`);
      if (found.kind === "admin_key" && (await isLastAdministrator(ports, environment, found.key)))
        return nothingDone("protected", "it is the last admin key that can administer the environment");
      return endKey(found.key, "suspended", event);
    case "assignment":
      return removeAssignment(found.assignment, "suspended", event);
    case "service":
      return stopService(found.service, environment, "suspended", event);
  }
}

function endKey(key: KeyRecord, state: "revoked" | "suspended", event: MakeEvent): CarriedOut {
  const { environment, id, name, owner } = key;
  const isAdmin = environment === SYSTEM_REALM;
  const type = state === "suspended" ? "key.suspended" : isAdmin ? "admin_key.revoked" : "key.revoked";
  return {
    ...nothingDone(state, `the key is ${state}`),
    operations: [{ op: "key.state", environment, id, state, reason: REVIEW_REASON }],
    events: [event(type, environment, { key: id, name, owner, reason: REVIEW_REASON })],
  };
}

function removeAssignment(assignment: Assignment, what: "revoked" | "suspended", event: MakeEvent): CarriedOut {
  const isOfFile = assignment.source === "policy";
  return {
    operations: [{ op: "assignment.remove", id: assignment.id }],
    events: [
      event("assignment.removed", assignment.environment, { ...assignmentFields(assignment), reason: REVIEW_REASON }),
    ],
    what,
    says: isOfFile
      ? "the assignment is removed, and applying the policy file does not assign it again: remove it from the file"
      : "the assignment is removed",
    undo: JSON.stringify(assignment),
    withheld: isOfFile ? assignmentText(assignment) : null,
  };
}

/** It may not act in the environment; its keys there are separate lines. */
function stopService(
  service: Principal,
  environment: string,
  what: "revoked" | "suspended",
  event: MakeEvent,
): CarriedOut {
  const { id, kind, name, bounds, revocations } = service;
  const held = bounds?.disabledIn ?? [];
  const ofAdmin = held.find(({ source }) => source === "admin")?.environments ?? [];
  const environments = [...new Set([...ofAdmin, environment])];
  const disabledIn = [...held.filter(({ source }) => source !== "admin"), { source: "admin" as const, environments }];
  return {
    ...nothingDone(what, `the service is disabled in ${environment}`),
    operations: [
      {
        op: "principal.put",
        principal: { ...service, revocations: revocations + 1, bounds: { ...bounds, disabledIn } },
      },
    ],
    events: [
      event("principal.disabled", "system", {
        principal: id,
        kind,
        name,
        environments: [environment],
        source: "admin",
        source_event: REVIEW_REASON,
      }),
    ],
  };
}

/** No other admin key that works could make admin keys and administer the environment. */
export async function isLastAdministrator(
  ports: Pick<AdminPorts, "listKeys" | "clock">,
  environment: string,
  key: KeyRecord,
): Promise<boolean> {
  const now = ports.clock.now();
  const isAdministrator = (one: KeyRecord): boolean => {
    const { state, admin } = one;
    const expiresAt = expiryOf(one);
    return (
      state === "active" &&
      (expiresAt === null || expiresAt > now) &&
      admin !== null &&
      admin.permissions.includes("admin:manage") &&
      administers(admin, environment)
    );
  };
  if (!isAdministrator(key)) return false;
  for await (const other of everyKey(ports, { environment: SYSTEM_REALM }, new LongWork()))
    if (other.id !== key.id && isAdministrator(other)) return false;
  return true;
}
