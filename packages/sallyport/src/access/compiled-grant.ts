/** A grant made ready for deciding: a set of permissions and the selector lists that must all match the model. */
import { coversSelector, matchesModel, needsModel, parseSelector } from "@sallyport/protocol";
import type { DataPermission, Factor, ModelName, ModelSelector } from "@sallyport/protocol";
import { NetworkList } from "../kernel/network-list.ts";
import type { Door } from "./door.ts";
import type { Guard, RightSpec, Role } from "./policy.ts";

export interface CompiledGrant {
  readonly permissions: ReadonlySet<DataPermission>;
  /** Every list must have a selector that matches. An empty list matches nothing; no list at all (of tokens alone) narrows nothing. */
  readonly selectorLists: readonly (readonly ModelSelector[])[];
  readonly guard: Guard;
  /** What its role demands in addition to the credential; null if it demands nothing. */
  readonly door: Door | null;
  /** For explanations: `role support-bot`, `--allow`. */
  readonly origin: string;
}

function selectors(texts: readonly string[]): readonly ModelSelector[] {
  const list: ModelSelector[] = [];
  for (const text of texts) {
    const selector = parseSelector(text);
    // An invalid selector grants nothing; it was rejected when it was written.
    if (selector) list.push(selector);
  }
  return list;
}

/** The grants a written right stands for. A role that does not exist (any more) stands for none. */
export function compileRight(spec: RightSpec, roles: ReadonlyMap<string, Role>): readonly CompiledGrant[] {
  const own = spec.models === null ? null : selectors(spec.models);
  const grants: CompiledGrant[] = [];
  for (const name of spec.roles) {
    const role = roles.get(name);
    if (!role) continue;
    const door = doorOf(`role ${name}`, role);
    for (const grant of role.grants) {
      const lists: (readonly ModelSelector[])[] = [];
      if (grant.models !== null) lists.push(selectors(grant.models));
      if (own !== null || grant.models === null) lists.push(own ?? []);
      grants.push({
        permissions: new Set(grant.permissions),
        selectorLists: lists,
        guard: role.guard,
        door,
        origin: `role ${name}`,
      });
    }
  }
  if (spec.allow.length > 0) {
    grants.push({
      permissions: new Set(spec.allow),
      selectorLists: [own ?? []],
      guard: {},
      door: null,
      origin: "--allow",
    });
  }
  return grants;
}

/** What a token is narrowed to. `models: null` = as far as its key. It gives nothing: key and owner must cover the rest. */
export function tokenGrant(permissions: readonly DataPermission[], models: readonly string[] | null): CompiledGrant {
  const selectorLists = models === null ? [] : [selectors(models)];
  return { permissions: new Set(permissions), selectorLists, guard: {}, door: null, origin: "the token" };
}

/** True when every model that the selector names is named by the grant. */
export function grantCoversSelector(grant: CompiledGrant, selector: ModelSelector): boolean {
  return grant.selectorLists.every((list) => list.some((wide) => coversSelector(wide, selector)));
}

/** The access condition that is written there; null without one. */
export function doorOf(
  origin: string,
  { networks, require }: { readonly networks: readonly string[] | null; readonly require: readonly Factor[] },
): Door | null {
  if (networks === null && require.length === 0) return null;
  return { origin, networks: networks && new NetworkList(networks), require };
}

/** True when the grant gives the permission, on the model where the permission needs one. */
export function grantCovers(grant: CompiledGrant, permission: DataPermission, model: ModelName | null): boolean {
  if (!grant.permissions.has(permission)) return false;
  if (!needsModel(permission)) return true;
  return model !== null && grantNames(grant, model);
}

/** True when every selector list of the grant names the model, whatever the grant is for. */
export function grantNames(grant: CompiledGrant, model: ModelName): boolean {
  for (const list of grant.selectorLists) {
    if (!list.some((selector) => matchesModel(selector, model))) return false;
  }
  return true;
}
