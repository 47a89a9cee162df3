/** Applies a policy file, whole or not at all: the route uses it, and so does the start with `--policy`. */
import { createHash } from "node:crypto";
import { Problem } from "@sallyport/protocol";
import { everything } from "../access/everything.ts";
import type { Issuer } from "../access/issuer.ts";
import type { PolicyDocument } from "../access/policy-file.ts";
import type { PolicyTextRead } from "../access/policy-text.ts";
import { planPolicy } from "../access/policy-plan.ts";
import type { PresentPolicy } from "../access/policy-plan.ts";
import { operationsOfRemoval } from "../access/removed-environment.ts";
import { excessOfChange } from "../access/policy-reach.ts";
import { judgeUpstreams } from "../access/upstream-rules.ts";
import type { Operation } from "../changes/change.ts";
import type { EventType, LedgerEvent } from "../audit/event.ts";
import { randomBase62 } from "../kernel/ids.ts";
import { SYSTEM_REALM } from "../keys/key.ts";
import { eachKey } from "./each-key.ts";
import type { AdminPorts } from "./ports.ts";
import { excessOfOperations } from "./scope-gate.ts";

export interface ApplyOptions {
  /** True: say what would change, and whether the actor could, but change nothing. */
  readonly dryRun: boolean;
  /** The epoch a person saw the plan on; another by now is refused with `conflict`. */
  readonly expectEpoch?: number;
  /** From where it was asked, for the record. */
  readonly address?: string;
}

export interface AppliedPolicy {
  /** One line a change; empty when policy was already so. */
  readonly changes: string[];
  readonly epoch: number;
}

type PolicyPorts = Pick<AdminPorts, "clock" | "snapshot" | "listKeys" | "changes" | "upstreamHosts" | "readPolicyText">;

/**
 * `actor` is the issuer who asks, or the gateway itself applying the file it was started with.
 * Throws `input_invalid` with every mistake and its place, `grant_exceeds_issuer`, or `conflict`.
 */
export async function applyPolicyText(
  ports: PolicyPorts,
  text: string,
  actor: Issuer | "gateway",
  options: ApplyOptions,
): Promise<AppliedPolicy> {
  const file = policyOf(await ports.readPolicyText(text, actor === "gateway" ? actor : actor.actor));
  const from = options.address === undefined ? {} : { address: options.address };
  const issuer: Issuer = actor === "gateway" ? { actor, right: everything } : actor;
  return ports.changes.inTurn(async () => {
    const present = ports.snapshot();
    const { epoch } = present;
    if (options.expectEpoch !== undefined && options.expectEpoch !== epoch) {
      throw new Problem("conflict", "policy has changed since the plan was made");
    }
    const plan = planPolicy(present, file, {
      hasUnrevokedKeys: (environment) => hasKey(ports, environment, null),
      newId: () => `a_${randomBase62(12)}`,
    });
    const servers = judgeUpstreams(plan.operations, present, issuer.right, ports.upstreamHosts ?? null);
    const mistakes = [...plan.mistakes, ...servers.mistakes];
    if (mistakes.length > 0) throw new Problem("input_invalid", "the policy cannot be applied", mistakes);
    const excess = [
      ...servers.excess,
      ...excessOfChange(issuer.right, plan.operations, present, (environment, role) =>
        hasKey(ports, environment, role),
      ),
      ...excessOfOperations(ports, issuer, plan.operations),
    ];
    if (excess.length > 0) throw new Problem("grant_exceeds_issuer", undefined, [...new Set(excess)]);
    const changes = [...plan.changes];
    const left = removalsOf(ports, plan.operations);
    if (options.dryRun || plan.operations.length === 0) return { changes, epoch };
    const applied: LedgerEvent = {
      type: "policy.applied",
      at: ports.clock.now(),
      environment: "system",
      actor: issuer.actor,
      fields: { sha256: createHash("sha256").update(text).digest("hex"), changes: changes.length, ...from },
    };
    const events: [LedgerEvent, ...LedgerEvent[]] = [applied];
    plan.operations.forEach((operation, i) =>
      events.push(eventOfOperation(operation, { change: changes[i] ?? "", ...from }, applied, present)),
    );
    for (const operation of left) if (operation.op === "key.state") events.push(endedAdminKey(operation.id, applied));
    const operations = [...plan.operations, ...left];
    return { changes, ...(await ports.changes.change({ operations, events, expectEpoch: epoch })) };
  });
}

/** What removed environments leave behind goes with them. */
function removalsOf(ports: PolicyPorts, operations: readonly Operation[]): Operation[] {
  const names = operations.flatMap((operation) => (operation.op === "environment.remove" ? [operation.name] : []));
  if (names.length === 0) return [];
  const adminKeys = eachKey(ports, { environment: SYSTEM_REALM });
  const { principals, groups } = ports.snapshot();
  return operationsOfRemoval(new Set(names), adminKeys, principals.values(), groups.values());
}

function endedAdminKey(key: string, applied: LedgerEvent): LedgerEvent {
  return {
    ...applied,
    type: "admin_key.revoked",
    environment: SYSTEM_REALM,
    fields: { key, reason: "environment_removed" },
  };
}

function policyOf(read: PolicyTextRead): PolicyDocument {
  if (read.ok) return read.policy;
  throw new Problem("input_invalid", read.detail, read.mistakes);
}

/** A key of the environment that is not revoked, and, where a role is given, names it. */
function hasKey(ports: PolicyPorts, environment: string, role: string | null): boolean {
  for (const key of eachKey(ports, { environment })) {
    if (key.state !== "revoked" && (role === null || key.ceiling.roles.includes(role))) return true;
  }
  return false;
}

function eventOfOperation(
  operation: Operation,
  said: LedgerEvent["fields"],
  applied: LedgerEvent,
  present: PresentPolicy,
): LedgerEvent {
  const make = (type: EventType, environment: string, name: string): LedgerEvent => ({
    ...applied,
    type,
    environment,
    fields: { name, ...said },
  });
  switch (operation.op) {
    case "environment.put":
      return make("environment.changed", operation.environment.name, operation.environment.name);
    case "environment.remove":
      return make("environment.changed", operation.name, operation.name);
    case "role.put":
      return make("role.changed", "system", operation.role.name);
    case "role.remove":
      return make("role.changed", "system", operation.name);
    case "assignment.put":
      return make("assignment.created", operation.assignment.environment, operation.assignment.id);
    case "assignment.remove": {
      const gone = present.assignments.get(operation.id);
      return make("assignment.removed", gone?.environment ?? "system", operation.id);
    }
    default:
      throw new TypeError(`${operation.op} is no change of policy`);
  }
}
