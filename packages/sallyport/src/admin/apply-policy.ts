/** Applies a policy file, whole or not at all: the route uses it, and so does the start with `--policy`. */
import { createHash } from "node:crypto";
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import { everything } from "../access/everything.ts";
import type { Issuer } from "../access/issuer.ts";
import type { PolicyDocument } from "../access/policy-file.ts";
import { failedPolicyTests } from "../access/policy-tests.ts";
import type { PolicyTextRead } from "../access/policy-text.ts";
import { planPolicy } from "../access/policy-plan.ts";
import type { Snapshot } from "../access/snapshot.ts";
import { operationsOfRemoval } from "../access/removed-environment.ts";
import { excessOfChange } from "../access/policy-reach.ts";
import { judgeUpstreams } from "../access/upstream-rules.ts";
import type { Change, Operation } from "../changes/change.ts";
import type { EventType, LedgerEvent } from "../audit/event.ts";
import { randomBase62 } from "../kernel/ids.ts";
import { LongWork } from "../kernel/long-work.ts";
import { everyKey } from "./each-key.ts";
import type { AdminPorts } from "./ports.ts";
import { excessOfOperations } from "./scope-gate.ts";

export interface ApplyOptions {
  /** True: say what would change, and whether the actor could, but change nothing. */
  readonly dryRun: boolean;
  /** The epoch of the plan that the user saw; if it has changed since, `conflict`. */
  readonly expectEpoch?: number;
  /** From where it was asked, for the record. */
  readonly address?: string;
}

export interface AppliedPolicy {
  /** One line a change; empty when policy was already so. */
  readonly changes: string[];
  readonly epoch: number;
}

type PolicyPorts = Pick<
  AdminPorts,
  "clock" | "snapshot" | "listKeys" | "changes" | "upstreamHosts" | "readPolicyText" | "findings" | "reviews"
>;

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
  const issuer: Issuer = actor === "gateway" ? { actor, right: everything } : actor;
  const order: Order = { text, file, issuer, options };
  // To plan may take long, and a revocation does not wait for it: only what was planned on the present policy is written.
  for (let tries = 0; tries < PLANS_BESIDE_CHANGES_MAX; tries++) {
    const present = ports.snapshot();
    const planned = await plan(ports, order, present);
    if (planned.change === null) return planned.applied;
    const { change } = planned;
    const done = await ports.changes.inTurn(async () =>
      ports.snapshot().epoch === present.epoch ? await ports.changes.change(change) : undefined,
    );
    if (done) return { changes: planned.applied.changes, ...done };
  }
  // Others change policy faster than this can be planned: now they wait.
  return ports.changes.inTurn(async () => {
    const { applied, change } = await plan(ports, order, ports.snapshot());
    return change === null ? applied : { changes: applied.changes, ...(await ports.changes.change(change)) };
  });
}

const PLANS_BESIDE_CHANGES_MAX = 3;
/** More failed tests than a person reads at once. */
const FAILURES_MAX = 50;

interface Order {
  readonly text: string;
  readonly file: PolicyDocument;
  readonly issuer: Issuer;
  readonly options: ApplyOptions;
}

/** What it comes to on this policy; `change` is null where nothing is to be written. */
async function plan(
  ports: PolicyPorts,
  { text, file, issuer, options }: Order,
  present: Snapshot,
): Promise<{ readonly applied: AppliedPolicy; readonly change: Change | null }> {
  const work = new LongWork();
  const from = options.address === undefined ? {} : { address: options.address };
  const { epoch } = present;
  if (options.expectEpoch !== undefined && options.expectEpoch !== epoch) {
    throw new Problem("conflict", "policy has changed since the plan was made");
  }
  const planned = await planPolicy(
    present,
    file,
    {
      hasUnrevokedKeys: (environment) => hasUnrevokedKey(ports, environment, work),
      withholding: (assignment) => ports.reviews.withholding(assignment),
      newId: () => `a_${randomBase62(12)}`,
    },
    work,
  );
  const servers = judgeUpstreams(planned.operations, present, issuer.right, ports.upstreamHosts ?? null);
  const mistakes = [...planned.mistakes, ...servers.mistakes];
  if (mistakes.length > 0) throw new Problem("input_invalid", "the policy cannot be applied", mistakes);
  const failures = await failedPolicyTests(file.tests, present, planned.operations, work);
  if (failures.length > 0)
    throw new Problem(
      "input_invalid",
      "tests of the policy fail, so nothing is applied",
      failures.slice(0, FAILURES_MAX),
    );
  const rolesOnKeys = (environment: string): Promise<Set<string>> => rolesOfKeys(ports, environment, work);
  const excess = [
    ...servers.excess,
    ...(await excessOfChange(issuer.right, planned.operations, present, rolesOnKeys, work)),
    ...(await excessOfOperations({ ...ports, snapshot: () => present }, issuer, planned.operations, work)),
  ];
  if (excess.length > 0) throw new Problem("grant_exceeds_issuer", undefined, [...new Set(excess)]);
  const changes = [...planned.changes];
  const applied: AppliedPolicy = { changes, epoch };
  if (options.dryRun || planned.operations.length === 0) return { applied, change: null };
  const left = await removalsOf(ports, planned.operations, present, work);
  const event: LedgerEvent = {
    type: "policy.applied",
    at: ports.clock.now(),
    environment: "system",
    actor: issuer.actor,
    fields: { sha256: createHash("sha256").update(text).digest("hex"), changes: changes.length, ...from },
  };
  const events: [LedgerEvent, ...LedgerEvent[]] = [event];
  await work.each(planned.operations.entries(), ([at, operation]) =>
    events.push(eventOfOperation(operation, { change: changes[at] ?? "", ...from }, event, present)),
  );
  for (const operation of left) if (operation.op === "key.state") events.push(endedAdminKey(operation.id, event));
  return { applied, change: { operations: [...planned.operations, ...left], events, expectEpoch: epoch } };
}

/** What removed environments leave behind goes with them. */
async function removalsOf(
  ports: PolicyPorts,
  operations: readonly Operation[],
  { principals, groups }: Snapshot,
  work: LongWork,
): Promise<Operation[]> {
  const names = operations.flatMap((operation) => (operation.op === "environment.remove" ? [operation.name] : []));
  if (names.length === 0) return [];
  const gone = new Set(names);
  // Nor does an acceptance count in an environment that is created again under the same name.
  const findings = await work.flatMap(ports.findings.all(), ({ id, environment }): Operation[] =>
    gone.has(environment) ? [{ op: "finding.remove", id }] : [],
  );
  const left = await operationsOfRemoval(
    gone,
    everyKey(ports, { environment: SYSTEM_REALM }, work),
    principals.values(),
    groups.values(),
    work,
  );
  return [...findings, ...left];
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

async function hasUnrevokedKey(ports: PolicyPorts, environment: string, work: LongWork): Promise<boolean> {
  for await (const { state } of everyKey(ports, { environment }, work)) if (state !== "revoked") return true;
  return false;
}

/** The roles that keys of the environment name which are not revoked. */
async function rolesOfKeys(ports: PolicyPorts, environment: string, work: LongWork): Promise<Set<string>> {
  const roles = new Set<string>();
  for await (const { state, ceiling } of everyKey(ports, { environment }, work))
    if (state !== "revoked") for (const name of ceiling.roles) roles.add(name);
  return roles;
}

function eventOfOperation(
  operation: Operation,
  said: LedgerEvent["fields"],
  applied: LedgerEvent,
  { assignments }: Pick<Snapshot, "assignments">,
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
    case "assignment.remove":
      return make("assignment.removed", assignments.get(operation.id)?.environment ?? "system", operation.id);
    default:
      throw new TypeError(`${operation.op} is no change of policy`);
  }
}
