/**
 * Present policy and a policy file -> what has to change, as lines for people and as operations. The file describes
 * environments, roles and its own assignments whole: what it does not name goes. Assignments made by administrators are
 * not the file's, and stay, except in an environment that goes. Pure, but for the ids of new assignments. It looks at each
 * thing once, by index, and in slices (`LongWork`): a file of ten thousand assignments holds up no request.
 */
import type { Operation } from "../changes/change.ts";
import { LongWork } from "../kernel/long-work.ts";
import type { PolicyAssignment, PolicyDocument } from "./policy-file.ts";
import { assignmentLine, environmentDifferences, rightText, roleDifferences } from "./policy-difference.ts";
import { isBuiltInRole } from "./built-in-roles.ts";
import type { Assignment } from "./policy.ts";
import { resolvePrincipal } from "./principal-name.ts";
import type { PolicyTables } from "./snapshot.ts";

/** With or without the built-in roles, which are no part of a plan. */
export type PresentPolicy = Pick<PolicyTables, "environments" | "roles" | "principals" | "assignments">;

export interface PlanPorts {
  /** True when the environment has a key that is not revoked. */
  readonly hasUnrevokedKeys: (environment: string) => Promise<boolean>;
  /** The review that took such an assignment away: it is not made again. Default: none did. */
  readonly withholding?: (assignment: string) => string | undefined;
  /** A fresh assignment id. */
  readonly newId: () => string;
}

export interface PolicyPlan {
  /** One line a change: `+` made, `~` changed, `-` removed; after them `!` for what a review withholds. Empty when policy is already so. */
  readonly changes: readonly string[];
  readonly operations: readonly Operation[];
  /** Why the file cannot be applied; the plan is then of no use. */
  readonly mistakes: readonly string[];
}

interface Draft {
  /** Lines that are no change, and come after those that are. */
  readonly notes: string[];
  readonly changes: string[];
  readonly operations: Operation[];
  readonly mistakes: string[];
}

/** `present` must not change while the promise is pending. */
export async function planPolicy(
  present: PresentPolicy,
  file: PolicyDocument,
  ports: PlanPorts,
  work = new LongWork(),
): Promise<PolicyPlan> {
  const draft: Draft = { changes: [], operations: [], mistakes: [], notes: [] };
  const named = new Set(file.environments.map((environment) => environment.name));
  const going = [...present.environments.keys()].filter((name) => !named.has(name));
  putEnvironments(draft, present, file);
  await putRoles(draft, present, file, work);
  await matchAssignments(draft, present, file, ports, work);
  await work.each(present.assignments, (assignment) => {
    if (assignment.source === "admin" && going.includes(assignment.environment))
      removeAssignment(draft, present, assignment);
  });
  removeRoles(draft, present, file);
  for (const name of going) {
    if (await ports.hasUnrevokedKeys(name)) {
      draft.mistakes.push(`environments.${name}: cannot be removed while it has keys that are not revoked`);
    }
    draft.changes.push(`- environment ${name}`);
    draft.operations.push({ op: "environment.remove", name });
  }
  const { changes, notes, operations, mistakes } = draft;
  return { changes: [...changes, ...notes], operations, mistakes };
}

function putEnvironments(draft: Draft, present: PresentPolicy, file: PolicyDocument): void {
  for (const environment of file.environments) {
    const old = present.environments.get(environment.name);
    const differences = environmentDifferences(old, environment);
    if (differences.length === 0) continue;
    draft.changes.push(`${old ? "~" : "+"} environment ${environment.name}: ${differences.join("; ")}`);
    draft.operations.push({ op: "environment.put", environment });
  }
}

function putRoles(draft: Draft, present: PresentPolicy, file: PolicyDocument, work: LongWork): Promise<void> {
  return work.each(file.roles, (role) => {
    const old = present.roles.get(role.name);
    const differences = roleDifferences(old, role);
    if (differences.length === 0) return;
    draft.changes.push(`${old ? "~" : "+"} role ${role.name}: ${differences.join("; ")}`);
    draft.operations.push({ op: "role.put", role });
  });
}

function removeRoles(draft: Draft, present: PresentPolicy, file: PolicyDocument): void {
  const named = new Set(file.roles.map((role) => role.name));
  for (const name of present.roles.keys()) {
    if (named.has(name) || isBuiltInRole(name)) continue;
    draft.changes.push(`- role ${name}`);
    draft.operations.push({ op: "role.remove", name });
  }
}

/** Each assignment of the file keeps one of the present that says the same, or is made, once; the others go. */
async function matchAssignments(
  draft: Draft,
  present: PresentPolicy,
  file: PolicyDocument,
  ports: PlanPorts,
  work: LongWork,
): Promise<void> {
  const held = await work.filter(present.assignments, ({ source }) => source === "policy");
  const unmatched = new Map<string, Assignment[]>();
  // From the last to the first, so that the first is taken first.
  await work.each(held.toReversed(), (assignment) => {
    const text = assignmentText(assignment);
    const same = unmatched.get(text);
    if (same) same.push(assignment);
    else unmatched.set(text, [assignment]);
  });
  const made = new Map<string, Assignment>();
  const kept = new Set<string>();
  const mistakes = new Set<string>();
  const withheld = new Set<string>();
  await work.each(file.assignments, (written) => {
    const subject = resolveSubject(written, present);
    if (typeof subject === "string") {
      mistakes.add(`assign: ${subject}`);
      return;
    }
    const wanted: Assignment = { ...written, subject, id: "", source: "policy" };
    const text = assignmentText(wanted);
    const same = unmatched.get(text)?.pop();
    const review = same ? undefined : ports.withholding?.(text);
    if (same) kept.add(same.id);
    else if (review !== undefined)
      withheld.add(
        `! assign ${assignmentLine(wanted, present.principals)}: withheld by review ${review}; remove it from the file, or restore the line`,
      );
    else if (!made.has(text)) made.set(text, { ...wanted, id: ports.newId() });
  });
  draft.mistakes.push(...mistakes);
  draft.notes.push(...withheld);
  await work.each(held, (assignment) => {
    if (!kept.has(assignment.id)) removeAssignment(draft, present, assignment);
  });
  await work.each(made.values(), (assignment) => {
    draft.changes.push(`+ assign ${assignmentLine(assignment, present.principals)}`);
    draft.operations.push({ op: "assignment.put", assignment });
  });
}

function removeAssignment(draft: Draft, present: PresentPolicy, assignment: Assignment): void {
  draft.changes.push(`- assign ${assignmentLine(assignment, present.principals)}`);
  draft.operations.push({ op: "assignment.remove", id: assignment.id });
}

function resolveSubject(written: PolicyAssignment, { principals }: PresentPolicy): Assignment["subject"] | string {
  if ("group" in written.subject) return written.subject;
  const found = resolvePrincipal(written.subject.principal, principals);
  return typeof found === "string" ? found : { principal: found.id };
}

/** Equal for two assignments that give the same subject the same right in the same environment. */
export function assignmentText({ environment, subject, right }: Assignment): string {
  const who = "group" in subject ? ["group", subject.group] : ["principal", subject.principal];
  return JSON.stringify([environment, ...who, rightText(right)]);
}
