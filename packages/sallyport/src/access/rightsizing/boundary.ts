/**
 * What right-sizing leaves of a key's scope: a list of permissions, each on the models it was used on. It is laid over
 * the scope and only ever narrows it: a demand must be covered by the scope and by the boundary, so the roles, guards,
 * limits and access conditions of the scope stay as they are. Removing the boundary gives back what the key has without
 * it at that moment, and nothing else.
 */
import { matchesModel, needsModel, parseSelector } from "@sallyport/protocol";
import type { DataPermission, ModelSelector } from "@sallyport/protocol";
import type { CompiledGrant } from "../compiled-grant.ts";
import type { Demand } from "../demand.ts";

export interface BoundaryGrant {
  readonly permissions: readonly DataPermission[];
  /** Selectors; null = as far as the key's scope goes. */
  readonly models: readonly string[] | null;
}

export type Boundary = readonly BoundaryGrant[];

interface CompiledBoundaryGrant {
  readonly permissions: ReadonlySet<DataPermission>;
  readonly selectors: readonly ModelSelector[] | null;
}

/** A boundary is never changed, so it is compiled once. */
const compiled = new WeakMap<Boundary, readonly CompiledBoundaryGrant[]>();

function compile(boundary: Boundary): readonly CompiledBoundaryGrant[] {
  let grants = compiled.get(boundary);
  if (!grants) {
    grants = boundary.map(({ permissions, models }) => ({
      permissions: new Set(permissions),
      // An invalid selector grants nothing.
      selectors: models && models.map(parseSelector).filter((selector) => selector !== undefined),
    }));
    compiled.set(boundary, grants);
  }
  return grants;
}

/** The scope as far as the boundary goes: of each pair of grants what both give. */
export function boundedScope(scope: readonly CompiledGrant[], boundary: Boundary): readonly CompiledGrant[] {
  return scope.flatMap((grant) =>
    compile(boundary).flatMap(({ permissions, selectors }): CompiledGrant[] => {
      const both = [...grant.permissions].filter((permission) => permissions.has(permission));
      if (both.length === 0) return [];
      const selectorLists = selectors ? [...grant.selectorLists, selectors] : grant.selectorLists;
      return [{ ...grant, permissions: new Set(both), selectorLists, origin: `${grant.origin}, right-sized` }];
    }),
  );
}

/** Everything demanded lies within the boundary, whatever the scope says of it. */
export function isWithinBoundary(
  boundary: Boundary,
  demands: readonly Pick<Demand, "permission" | "model">[],
): boolean {
  const grants = compile(boundary);
  for (const demand of demands) if (!isCovered(grants, demand)) return false;
  return true;
}

function isCovered(
  grants: readonly CompiledBoundaryGrant[],
  { permission, model }: Pick<Demand, "permission" | "model">,
): boolean {
  for (const { permissions, selectors } of grants) {
    if (!permissions.has(permission)) continue;
    if (selectors === null || !needsModel(permission)) return true;
    if (model !== null && selectors.some((selector) => matchesModel(selector, model))) return true;
  }
  return false;
}
