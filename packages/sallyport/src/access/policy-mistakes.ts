/**
 * The mistakes of a policy file that a schema cannot see: names that must exist, things that may be there only once,
 * and names that are taken. It reads the document as it is, whatever else is wrong with it.
 */
import { isEnvironmentName, SYSTEM_REALM } from "@sallyport/protocol";
import { isUpstreamUrl, ROLE_NAME_FORM } from "@sallyport/contract";
import { parseNetwork } from "../kernel/network-list.ts";
import { builtInRoles, isBuiltInRole } from "./built-in-roles.ts";
import { field, listOf, mapOf } from "./document-fields.ts";
import { testMistakes } from "./policy-test-mistakes.ts";
import type { PolicyMistake } from "./policy-test-mistakes.ts";
import { noEnvironment, noRole } from "./unknown-name.ts";

export type { PolicyMistake };

export function policyReferenceMistakes(document: unknown): PolicyMistake[] {
  const environments = mapOf(field(document, "environments"));
  const roles = mapOf(field(document, "roles"));
  return [
    ...Object.keys(environments)
      .filter((name) => !isEnvironmentName(name) || name === SYSTEM_REALM)
      .map((name) => ({
        path: ["environments", name],
        says: "is not an environment name (a-z, 0-9, at most 16, not system)",
      })),
    ...Object.keys(roles)
      .filter((name) => !ROLE_NAME_FORM.test(name))
      .map((name) => ({ path: ["roles", name], says: "is not a role name (a-z, 0-9, -)" })),
    ...Object.entries(environments).flatMap(([name, entry]) => upstreamMistakes(name, entry)),
    ...Object.entries(environments).flatMap(([name, entry]) => doorMistakes(["environments", name], entry)),
    ...Object.entries(roles).flatMap(([name, entry]) => doorMistakes(["roles", name], entry)),
    ...Object.keys(roles)
      .filter(isBuiltInRole)
      .map((name) => ({
        path: ["roles", name],
        says: "is the name of a built-in role, which cannot be defined again",
      })),
    ...assignmentMistakes(listOf(field(document, "assign")), environments, roles),
    ...testMistakes(listOf(field(document, "tests")), environments, roles),
  ];
}

function upstreamMistakes(environment: string, entry: unknown): PolicyMistake[] {
  const seen = new Set<string>();
  return listOf(field(entry, "upstreams")).flatMap((upstream, i) => {
    const path = ["environments", environment, "upstreams", i];
    const url = field(upstream, "url");
    const written = field(upstream, "id");
    const id = typeof written === "string" ? written : `u${i + 1}`;
    const mistakes: PolicyMistake[] = [];
    if (seen.has(id)) mistakes.push({ path: [...path, "id"], says: `${id} comes twice in this environment` });
    seen.add(id);
    if (typeof url === "string" && isUpstreamUrl(url) && !URL.canParse(url))
      mistakes.push({ path: [...path, "url"], says: "is not a URL" });
    return mistakes;
  });
}

/** Networks that are not valid CIDRs. */
function doorMistakes(path: readonly string[], entry: unknown): PolicyMistake[] {
  return listOf(field(entry, "networks")).flatMap((text, i) =>
    typeof text === "string" && parseNetwork(text) === undefined
      ? [{ path: [...path, "networks", i], says: "is not a network such as 10.0.0.0/8 or 2001:db8::/32" }]
      : [],
  );
}

function assignmentMistakes(rows: readonly unknown[], environments: object, roles: object): PolicyMistake[] {
  const seen = new Set<string>();
  return rows.flatMap((row, i) => {
    const mistakes: PolicyMistake[] = [];
    const subjects = ["group", "principal"].filter((key) => field(row, key) !== undefined);
    if (subjects.length !== 1)
      mistakes.push({ path: ["assign", i], says: "names not exactly one of `group` and `principal`" });
    const named = [field(row, "role") ?? []].flat();
    if (named.length === 0 && field(row, "allow") === undefined) {
      mistakes.push({ path: ["assign", i], says: "names neither `role` nor `allow`" });
    }
    for (const name of named) {
      if (typeof name !== "string" || Object.hasOwn(roles, name) || builtInRoles.some((role) => role.name === name))
        continue;
      const says = isBuiltInRole(name)
        ? `${name} is a role of administration, for admin keys only`
        : noRole(name, roles);
      mistakes.push({ path: ["assign", i, "role"], says });
    }
    listOf(field(row, "in")).forEach((environment, j) => {
      const path = ["assign", i, "in", j];
      if (typeof environment === "string" && !Object.hasOwn(environments, environment)) {
        mistakes.push({ path, says: noEnvironment(environment, environments) });
      }
      const text = JSON.stringify({ ...mapOf(row), in: environment });
      if (seen.has(text)) mistakes.push({ path, says: "the same assignment is written twice" });
      seen.add(text);
    });
    return mistakes;
  });
}
