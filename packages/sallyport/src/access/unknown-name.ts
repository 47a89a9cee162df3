/** Sentences about names in a policy file that stand for nothing. */
import { didYouMean } from "@sallyport/protocol";
import { builtInRoles } from "./built-in-roles.ts";

export function noRole(name: string, roles: object): string {
  const known = [...Object.keys(roles), ...builtInRoles.map((role) => role.name)];
  return `there is no role ${name}${didYouMean(name, known)}`;
}

export function noEnvironment(name: string, environments: object): string {
  return `there is no environment ${name}${didYouMean(name, Object.keys(environments))}`;
}
