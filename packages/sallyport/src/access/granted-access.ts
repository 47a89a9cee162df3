/** What an assignment gives, one line for each permission and model selector. Pure. */
import { coversSelector, needsModel, parseSelector } from "@sallyport/protocol";
import type { Assignment, RightSpec, Role } from "./policy.ts";

export interface GrantedAccess {
  readonly permission: string;
  /** Selector; null for permissions that need no model. */
  readonly model: string | null;
  /** `role chatbot by a_x (group ops)`. */
  readonly by: string;
}

export function grantedBy(assignment: Assignment, roles: ReadonlyMap<string, Role>): GrantedAccess[] {
  const { id, subject, right } = assignment;
  const via = `by ${id} (${"group" in subject ? `group ${subject.group}` : "directly"})`;
  const ofRoles = right.roles.flatMap((name) =>
    (roles.get(name)?.grants ?? []).flatMap(({ permissions, models }) =>
      linesOf(permissions, selectorsOf(models, right.models), `role ${name} ${via}`),
    ),
  );
  return [...ofRoles, ...linesOf(right.allow, right.models ?? [], `allow ${via}`)];
}

function linesOf(permissions: RightSpec["allow"], models: readonly string[], by: string): GrantedAccess[] {
  return permissions.flatMap((permission): GrantedAccess[] =>
    needsModel(permission) ? models.map((model) => ({ permission, model, by })) : [{ permission, model: null, by }],
  );
}

/** Both lists must match a model, so of each pair the narrower selector remains. Without any list, no model matches. */
function selectorsOf(ofRole: readonly string[] | null, own: readonly string[] | null): readonly string[] {
  if (ofRole === null || own === null) return ofRole ?? own ?? [];
  const within = (narrow: readonly string[], wide: readonly string[]): string[] =>
    narrow.filter((one) => wide.some((other) => isCovered(other, one)));
  const narrow = within(ofRole, own);
  // Two spellings of one selector cover each other: it is listed once.
  return [
    ...new Set([...narrow, ...within(own, ofRole).filter((one) => !narrow.some((other) => isCovered(one, other)))]),
  ];
}

function isCovered(wideText: string, narrowText: string): boolean {
  const [wide, narrow] = [parseSelector(wideText), parseSelector(narrowText)];
  return wide !== undefined && narrow !== undefined && coversSelector(wide, narrow);
}
