/**
 * Principals, roles, keys and pepper rings as tests need them: whole and harmless, with what the test is about laid over.
 * Unit tests and those of the built program share them, so they are built by the sources.
 */
import type { Principal, RightSpec, Role } from "../packages/sallyport/src/access/policy.ts";
import { newKey } from "../packages/sallyport/src/keys/key.ts";
import type { KeyRecord, KeySecret } from "../packages/sallyport/src/keys/key.ts";
import type { Pepper, PepperRing } from "../packages/sallyport/src/keys/pepper.ts";

/** A key's scope, or an assignment, that gives nothing. */
export const NO_RIGHT: RightSpec = { roles: [], allow: [], models: [] };

/** A person without groups, known here alone; its name is its id. */
export function principalOf(id: string, part: Partial<Principal> = {}): Principal {
  return {
    id,
    kind: "person",
    name: id,
    team: null,
    groups: [],
    isDisabled: false,
    disabledBy: [],
    revocations: 0,
    external: null,
    createdAt: 0,
    ...part,
  };
}

/** A role that may be used from anywhere, without limits. */
export function roleOf(name: string, grants: Role["grants"], part: Partial<Role> = {}): Role {
  return { name, grants, limits: {}, guard: {}, networks: null, require: [], ...part };
}

/** A key of `p` in dev that may do nothing, made at 0, with one secret that never ends. */
export function keyOf(part: Partial<KeyRecord> = {}, secret: Partial<KeySecret> = {}): KeyRecord {
  const what = {
    id: "k",
    environment: "dev",
    name: "k",
    owner: "p",
    ceiling: NO_RIGHT,
    limits: {},
    admin: null,
    createdAt: 0,
    createdBy: "os:tester",
    ...part,
  };
  const first = { hash: new Uint8Array(32), pepperVersion: 1, expiresAt: null, ...secret };
  return { ...newKey(what, first), ...part };
}

/** A ring of one pepper for every environment. */
export function ringOf(pepper: Pepper): PepperRing {
  return { current: () => pepper, get: () => pepper, create: () => pepper };
}
