/** Grants that no one can use: conditions that exclude each other, roles without a holder, assignments that reach no one. */
import { isNetworkWithin } from "../../kernel/network-list.ts";
import type { LongWork } from "../../kernel/long-work.ts";
import { isBuiltInRole } from "../built-in-roles.ts";
import { isDisabledIn } from "../holding.ts";
import type { Assignment, Environment, Role } from "../policy.ts";
import type { Snapshot } from "../snapshot.ts";
import type { KeyScopes } from "./key-scopes.ts";
import { subjectName } from "./grant-findings.ts";
import { findingOf } from "./posture-finding.ts";
import type { PostureFinding } from "./posture-finding.ts";

const APPLY = "sallyport apply -f policy.yaml";
const SYSTEM = "system";

export async function unsatisfiable(
  snapshot: Snapshot,
  scopes: Pick<KeyScopes, "isRoleHeld">,
  work: LongWork,
): Promise<PostureFinding[]> {
  const { environments, roles, assignments } = snapshot;
  return [
    ...(await work.flatMap(roles.values(), (role) => roleFindings(role, snapshot, scopes))),
    ...(await work.flatMap(assignments, (assignment) => assignmentFindings(assignment, snapshot))),
    ...[...environments.values()].flatMap(unboundNetwork),
  ];
}

function roleFindings(role: Role, snapshot: Snapshot, scopes: Pick<KeyScopes, "isRoleHeld">): PostureFinding[] {
  const { environments, assignments } = snapshot;
  const assigned = assignments.naming(role.name);
  const places = [...environments.values()].filter(
    ({ name }) => assigned.some((one) => one.environment === name) || scopes.isRoleHeld(name, role.name),
  );
  if (places.length === 0)
    return isBuiltInRole(role.name)
      ? []
      : [
          findingOf("policy_unsatisfiable", {
            environment: SYSTEM,
            subject: `role:${role.name}`,
            says: `no one has the role ${role.name}: it is neither assigned nor named by a key`,
            evidence: ["0 assignments, 0 keys"],
            remedy: `assign the role, or remove it from the policy file: ${APPLY}`,
          }),
        ];
  return places.flatMap((environment) => {
    const reason = conflictOf(role, environment);
    if (reason === undefined) return [];
    return [
      findingOf("policy_unsatisfiable", {
        severity: "medium",
        environment: environment.name,
        subject: `role:${role.name}`,
        says: `no request can use the role ${role.name} in ${environment.name}: ${reason}`,
        evidence: [reason],
        remedy: `correct the networks or access conditions of the role or the environment: ${APPLY}`,
      }),
    ];
  });
}

/** Why no request can meet the conditions of both. */
function conflictOf(role: Role, environment: Environment): string | undefined {
  if (role.networks && environment.networks && !doOverlap(role.networks, environment.networks))
    return `its networks ${role.networks.join(", ")} and the environment's ${environment.networks.join(", ")} do not overlap`;
  if (role.require.includes("network") && !role.networks && !environment.networks)
    return "it requires the condition network, and no network is named";
  return undefined;
}

/** Two networks overlap only if one lies in the other. */
function doOverlap(a: readonly string[], b: readonly string[]): boolean {
  return a.some((one) => b.some((other) => isNetworkWithin(one, other) || isNetworkWithin(other, one)));
}

/** An environment can require a network and name none; each key can still name its own. */
function unboundNetwork({ name, networks, require }: Environment): PostureFinding[] {
  if (!require.includes("network") || networks !== null) return [];
  return [
    findingOf("policy_unsatisfiable", {
      environment: name,
      subject: `environment:${name}`,
      says: `${name} requires the condition network and names no network: keys without networks are always denied`,
      evidence: [`require: ${require.join(", ")}`, "networks: none"],
      remedy: `name networks in the environment, or on each key: ${APPLY}`,
    }),
  ];
}

function assignmentFindings({ environment, subject }: Assignment, { principals }: Snapshot): PostureFinding[] {
  const reason = nobodyOf(subject, environment, principals);
  if (reason === undefined) return [];
  return [
    findingOf("policy_unsatisfiable", {
      environment,
      subject: subjectName(subject),
      says: `an assignment in ${environment} reaches no one: ${reason}`,
      evidence: [reason],
      remedy: `remove the assignment from the policy file, or with sallyport people unassign: ${APPLY}`,
    }),
  ];
}

function nobodyOf(
  subject: Assignment["subject"],
  environment: string,
  principals: Snapshot["principals"],
): string | undefined {
  if ("group" in subject)
    return principals.called("group", subject.group).length === 0
      ? `the group ${subject.group} has no members`
      : undefined;
  const principal = principals.get(subject.principal);
  if (!principal) return `there is no principal ${subject.principal}`;
  return isDisabledIn(principal, environment) ? `${principal.name} is disabled` : undefined;
}
