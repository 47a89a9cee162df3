/**
 * What a key's owner has lost that the key makes use of: pure. A key is touched by a lost role it names, and by a lost
 * grant that nothing left covers as far as the key's scope reaches. Where covering cannot be told for certain it counts as
 * lost: a key is revoked once too often rather than revived.
 */
import { coversSelector, needsModel } from "@sallyport/protocol";
import type { DataPermission, ModelSelector } from "@sallyport/protocol";
import type { KeyRecord } from "../keys/key.ts";
import type { Assignments } from "./assignments.ts";
import { compileRight } from "./compiled-grant.ts";
import type { CompiledGrant } from "./compiled-grant.ts";
import { holdingsOf } from "./holding.ts";
import type { ScopePolicy } from "./holding.ts";
import type { Assignment, Principal } from "./policy.ts";

/** The owner before and after the change; `gone` is an assignment that goes with it. */
export interface Narrowed {
  readonly before: Principal;
  readonly after: Principal;
  readonly gone?: string;
}

/** `role NAME` and permissions, each once; empty where the key loses nothing. */
export function lostRight(
  policy: ScopePolicy & { readonly assignments: Pick<Assignments, "about"> },
  key: Pick<KeyRecord, "environment" | "ceiling">,
  { before, after, gone }: Narrowed,
): readonly string[] {
  const { roles } = policy;
  const heldHere = (owner: Principal): Assignment[] =>
    holdingsOf(owner, policy).filter(({ environment }) => environment === key.environment);
  const left = heldHere(after).filter(({ id }) => id !== gone);
  const lost = heldHere(before).filter(({ id }) => !left.some((one) => one.id === id));
  if (lost.length === 0) return [];
  const found = new Set<string>();
  for (const { right } of lost) {
    for (const role of right.roles) {
      if (key.ceiling.roles.includes(role) && !left.some((one) => one.right.roles.includes(role)))
        found.add(`role ${role}`);
    }
  }
  const ceiling = compileRight({ ...key.ceiling, models: key.ceiling.models ?? [] }, roles);
  const remaining = left.flatMap((assignment) => compileRight(assignment.right, roles));
  for (const grant of lost.flatMap((assignment) => compileRight(assignment.right, roles))) {
    for (const permission of grant.permissions) {
      if (ceiling.some((own) => isUsed(own, grant, permission, remaining))) found.add(permission);
    }
  }
  return [...found];
}

/** The key could do this by the lost grant, and nothing that is left gives it whole. */
function isUsed(
  ceiling: CompiledGrant,
  lost: CompiledGrant,
  permission: DataPermission,
  remaining: readonly CompiledGrant[],
): boolean {
  if (!ceiling.permissions.has(permission)) return false;
  const others = remaining.filter((grant) => grant.permissions.has(permission));
  if (!needsModel(permission)) return others.length === 0;
  const lists = [...ceiling.selectorLists, ...lost.selectorLists];
  if (!lists.every((list, i) => lists.slice(i + 1).every((other) => doListsMeet(list, other)))) return false;
  if (lists.some((list) => list.length === 0)) return false;
  return !others.some((grant) =>
    grant.selectorLists.every((wide) => lists.some((narrow) => isListWithin(narrow, wide))),
  );
}

function doListsMeet(a: readonly ModelSelector[], b: readonly ModelSelector[]): boolean {
  return a.some((one) => b.some((other) => doSelectorsMeet(one, other)));
}

/** Some model could match both. */
function doSelectorsMeet(a: ModelSelector, b: ModelSelector): boolean {
  const fields = ["host", "namespace", "model", "tag"] as const;
  return a.isCloud === b.isCloud && fields.every((name) => a[name] === null || b[name] === null || a[name] === b[name]);
}

function isListWithin(narrow: readonly ModelSelector[], wide: readonly ModelSelector[]): boolean {
  return narrow.every((one) => wide.some((other) => coversSelector(other, one)));
}
