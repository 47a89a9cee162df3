/**
 * Present policy and a policy file -> what has to change, as lines for people and as operations. The file describes
 * environments, roles and its own assignments whole: what it does not name goes. Assignments made by administrators are
 * not the file's, and stay, except in an environment that goes. Pure, but for the ids of new assignments.
 */
import type { Operation } from "../changes/change.ts";
import type { PolicyAssignment, PolicyDocument } from "./policy-file.ts";
import { assignmentLine, environmentDifferences, roleDifferences, sameRight } from "./policy-difference.ts";
import { isBuiltInRole } from "./built-in-roles.ts";
import type { Assignment } from "./policy.ts";
import { resolvePrincipal } from "./principal-name.ts";
import type { PolicyTables } from "./snapshot.ts";

/** With or without the built-in roles, which are no part of a plan. */
export type PresentPolicy = Pick<PolicyTables, "environments" | "roles" | "principals" | "assignments">;

export interface PlanPorts {
  /** True when the environment has a key that is not revoked. */
  readonly hasUnrevokedKeys: (environment: string) => boolean;
  /** A fresh assignment id. */
  readonly newId: () => string;
}

export interface PolicyPlan {
  /** One line a change: `+` made, `~` changed, `-` removed. Empty when policy is already so. */
  readonly changes: readonly string[];
  readonly operations: readonly Operation[];
  /** Why the file cannot be applied; the plan is then of no use. */
  readonly mistakes: readonly string[];
}

interface Draft {
  readonly changes: string[];
  readonly operations: Operation[];
  readonly mistakes: string[];
}

export function planPolicy(present: PresentPolicy, file: PolicyDocument, ports: PlanPorts): PolicyPlan {
  const draft: Draft = { changes: [], operations: [], mistakes: [] };
  const named = new Set(file.environments.map((environment) => environment.name));
  const going = [...present.environments.keys()].filter((name) => !named.has(name));
  putEnvironments(draft, present, file);
  putRoles(draft, present, file);
  matchAssignments(draft, present, file, ports);
  for (const assignment of present.assignments) {
    if (assignment.source === "admin" && going.includes(assignment.environment))
      removeAssignment(draft, present, assignment);
  }
  removeRoles(draft, present, file);
  for (const name of going) {
    if (ports.hasUnrevokedKeys(name)) {
      draft.mistakes.push(`environments.${name}: cannot be removed while it has keys that are not revoked`);
    }
    draft.changes.push(`- environment ${name}`);
    draft.operations.push({ op: "environment.remove", name });
  }
  return draft;
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

function putRoles(draft: Draft, present: PresentPolicy, file: PolicyDocument): void {
  for (const role of file.roles) {
    const old = present.roles.get(role.name);
    const differences = roleDifferences(old, role);
    if (differences.length === 0) continue;
    draft.changes.push(`${old ? "~" : "+"} role ${role.name}: ${differences.join("; ")}`);
    draft.operations.push({ op: "role.put", role });
  }
}

function removeRoles(draft: Draft, present: PresentPolicy, file: PolicyDocument): void {
  const named = new Set(file.roles.map((role) => role.name));
  for (const name of present.roles.keys()) {
    if (named.has(name) || isBuiltInRole(name)) continue;
    draft.changes.push(`- role ${name}`);
    draft.operations.push({ op: "role.remove", name });
  }
}

function matchAssignments(draft: Draft, present: PresentPolicy, file: PolicyDocument, ports: PlanPorts): void {
  const held = [...present.assignments].filter((assignment) => assignment.source === "policy");
  const made: Assignment[] = [];
  const kept = new Set<string>();
  for (const written of file.assignments) {
    const subject = resolveSubject(draft, present, written);
    if (!subject) continue;
    const wanted: Assignment = { ...written, subject, id: "", source: "policy" };
    const same = held.find((assignment) => !kept.has(assignment.id) && isSame(assignment, wanted));
    if (same) kept.add(same.id);
    else if (!made.some((assignment) => isSame(assignment, wanted))) made.push({ ...wanted, id: ports.newId() });
  }
  for (const assignment of held) if (!kept.has(assignment.id)) removeAssignment(draft, present, assignment);
  for (const assignment of made) {
    draft.changes.push(`+ assign ${assignmentLine(assignment, present.principals)}`);
    draft.operations.push({ op: "assignment.put", assignment });
  }
}

function removeAssignment(draft: Draft, present: PresentPolicy, assignment: Assignment): void {
  draft.changes.push(`- assign ${assignmentLine(assignment, present.principals)}`);
  draft.operations.push({ op: "assignment.remove", id: assignment.id });
}

function resolveSubject(
  draft: Draft,
  present: PresentPolicy,
  written: PolicyAssignment,
): Assignment["subject"] | undefined {
  if ("group" in written.subject) return written.subject;
  const found = resolvePrincipal(written.subject.principal, present.principals);
  if (typeof found !== "string") return { principal: found.id };
  const mistake = `assign: ${found}`;
  if (!draft.mistakes.includes(mistake)) draft.mistakes.push(mistake);
  return undefined;
}

function isSame(a: Assignment, b: Assignment): boolean {
  return a.environment === b.environment && subjectText(a) === subjectText(b) && sameRight(a.right, b.right);
}

function subjectText(assignment: Assignment): string {
  return "group" in assignment.subject
    ? `group ${assignment.subject.group}`
    : `principal ${assignment.subject.principal}`;
}
