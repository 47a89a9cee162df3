/** The mistakes in the tests of a policy file that a schema cannot see. */
import { isDataPermission, needsModel } from "@sallyport/protocol";
import { builtInRoles } from "./built-in-roles.ts";
import { field, listOf } from "./document-fields.ts";
import { noEnvironment, noRole } from "./unknown-name.ts";

/** So many decisions take well under a second. */
const DECISIONS_MAX = 20_000;

export interface PolicyMistake {
  readonly path: readonly (string | number)[];
  readonly says: string;
}

/** A test that tests nothing would look like one that passes. */
export function testMistakes(rows: readonly unknown[], environments: object, roles: object): PolicyMistake[] {
  let decisions = 0;
  const mistakes = rows.flatMap((row, i) => {
    const path = ["tests", i];
    const mistakes: PolicyMistake[] = [];
    const as = field(row, "as");
    if (["group", "role", "allow"].every((key) => field(as, key) === undefined))
      mistakes.push({ path: [...path, "as"], says: "names none of `group`, `role` and `allow`" });
    for (const name of [field(as, "role") ?? []].flat())
      if (typeof name === "string" && !Object.hasOwn(roles, name) && !builtInRoles.some((role) => role.name === name))
        mistakes.push({ path: [...path, "as", "role"], says: noRole(name, roles) });
    const environment = field(row, "in");
    if (typeof environment === "string" && !Object.hasOwn(environments, environment))
      mistakes.push({ path: [...path, "in"], says: noEnvironment(environment, environments) });
    const demands = ["may", "mayNot"].flatMap((list) =>
      listOf(field(row, list)).map((demand, j) => ({ demand, at: [...path, list, j] })),
    );
    if (demands.length === 0) mistakes.push({ path, says: "demands nothing: write `may`, `mayNot`, or both" });
    for (const { demand, at } of demands) {
      const permissions = [field(demand, "do")].flat();
      decisions += permissions.length * Math.max(1, listOf(field(demand, "on")).length);
      const isModelNeeded = permissions.some(
        (name) => typeof name === "string" && isDataPermission(name) && needsModel(name),
      );
      if (isModelNeeded && field(demand, "on") === undefined)
        mistakes.push({ path: [...at, "on"], says: "is missing: the permission needs a model" });
    }
    return mistakes;
  });
  return decisions > DECISIONS_MAX
    ? [...mistakes, { path: ["tests"], says: `demands ${decisions} decisions, more than ${DECISIONS_MAX}` }]
    : mistakes;
}
