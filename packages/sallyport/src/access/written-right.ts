/** Reads a right as a person wrote it (roles, permissions, selectors) against what there is; every mistake is listed. */
import { didYouMean, isDataPermission, needsModel, parseSelector, permissions } from "@sallyport/protocol";
import type { DataPermission } from "@sallyport/protocol";
import type { RightSpec, Role } from "./policy.ts";

export interface WrittenRight {
  readonly roles: readonly string[];
  readonly allow: readonly string[];
  readonly models: readonly string[] | null;
}

export interface ReadRight {
  /** What could be read; complete when there are no mistakes. Nothing comes twice in it. */
  readonly right: RightSpec;
  readonly mistakes: readonly string[];
}

export function readRight(written: WrittenRight, roles: ReadonlyMap<string, Role>): ReadRight {
  const mistakes = [
    ...written.roles
      .filter((name) => !roles.has(name))
      .map(
        (name) =>
          `roles: there is no role ${JSON.stringify(name)} (\`sallyport roles list\` names them)${didYouMean(name, roles.keys())}`,
      ),
    ...unknownPermissions(written.allow, "allow"),
    ...unknownSelectors(written.models ?? [], "models"),
  ];
  if (written.roles.length === 0 && written.allow.length === 0) {
    mistakes.push("roles, allow: name at least one role or permission");
  }
  return {
    right: {
      roles: unique(written.roles),
      allow: unique(written.allow.filter(isDataPermission)),
      models: written.models === null ? null : unique(written.models),
    },
    mistakes,
  };
}

const dataPermissions = Object.keys(permissions).filter(isDataPermission);

export function unknownPermissions(names: readonly string[], field: string): string[] {
  return names
    .filter((name) => !isDataPermission(name))
    .map(
      (name) =>
        `${field}: ${JSON.stringify(name)} is not a permission of the data plane${didYouMean(name, dataPermissions)}`,
    );
}

export function unknownSelectors(texts: readonly string[], field: string): string[] {
  return texts
    .filter((text) => parseSelector(text) === undefined)
    .map((text) => `${field}: ${JSON.stringify(text)} is not a model selector`);
}

/** The permissions of a right, its roles expanded, that mean nothing without a model. */
export function modelPermissions(right: RightSpec, roles: ReadonlyMap<string, Role>): DataPermission[] {
  const fromRoles = right.roles.flatMap((name) => roles.get(name)?.grants.flatMap((grant) => grant.permissions) ?? []);
  return unique([...right.allow, ...fromRoles]).filter(needsModel);
}

function unique<T>(list: readonly T[]): T[] {
  return [...new Set(list)];
}
