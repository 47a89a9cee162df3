/**
 * The immutable, compiled view of all policy. It is replaced as a whole: a request sees one snapshot from its decision
 * on. The empty snapshot knows no environment and so denies everything. The next snapshot is derived from this one and
 * from what changed (`snapshotWith`), at the cost of what changed.
 */
import { OrderedMap } from "../kernel/ordered-map.ts";
import type { KeyRecord } from "../keys/key.ts";
import { Assignments } from "./assignments.ts";
import { builtInRoles, isBuiltInRole } from "./built-in-roles.ts";
import { compileRight, doorOf } from "./compiled-grant.ts";
import type { CompiledGrant } from "./compiled-grant.ts";
import type { Door } from "./door.ts";
import { coversHoldings, holds, isDisabledIn } from "./holding.ts";
import type { PolicyImage } from "./operations.ts";
import type {
  Agents,
  Assignment,
  DirectoryGroup,
  Environment,
  Limits,
  PolicyState,
  Principal,
  RightSpec,
  Role,
  Voucher,
} from "./policy.ts";
import { limitRowsOf } from "./limit-rows.ts";
import type { LimitRow } from "./limit-rows.ts";
import { boundedScope } from "./rightsizing/boundary.ts";
import type { Boundary } from "./rightsizing/boundary.ts";
import { Principals } from "./principals.ts";
import { shareTermsOf } from "./share-terms.ts";
import type { ShareTerms } from "./share-terms.ts";

/**
 * What a key may do now: its scope and its owner's current permissions, both of which must cover a demand, in one
 * environment.
 */
export interface EffectiveRight {
  readonly environment: Environment;
  readonly ceiling: readonly CompiledGrant[];
  readonly live: readonly CompiledGrant[];
  /** What a token is restricted to, which must cover a demand, too; null without a token. */
  readonly token: readonly CompiledGrant[] | null;
  readonly isOwnerDisabled: boolean;
  /** The owner's team, whose share of the model servers it takes; null = none. */
  readonly team: string | null;
  /** How large a part of the model servers it gets beside others. */
  readonly share: ShareTerms;
  /** Access conditions of the environment and of the key: every request must meet all of them. */
  readonly doors: readonly Door[];
  /** Every limit that binds the key, with where it was written. */
  readonly limits: readonly LimitRow[];
}

/** Policy as it is written, in the order of names and ids. */
export interface PolicyTables {
  readonly epoch: number;
  readonly environments: OrderedMap<Environment>;
  /** The built-in ones, too. */
  readonly roles: OrderedMap<Role>;
  readonly principals: Principals;
  readonly assignments: Assignments;
  /** Provisioning clients whose word is their provider's, as the settings say. */
  readonly agents: Agents;
  /** Groups that provisioning clients made, by id. */
  readonly groups: OrderedMap<DirectoryGroup>;
}

export interface Snapshot extends PolicyTables {
  /** The assignment counts for the principal. */
  holds(principal: Principal, assignment: Assignment): boolean;
  /** Everything the principal holds anywhere is the writer's to hand out; an unknown writer could hand out nothing. */
  covers(voucher: Voucher | undefined, principal: Principal): boolean;
  /** Undefined where the key's environment does not exist (any more). Computed once per key and snapshot. */
  rightOf(key: KeyRecord): EffectiveRight | undefined;
}

export function compileSnapshot(state: PolicyState, agents: Agents = NO_AGENTS): Snapshot {
  return compile({
    epoch: state.epoch,
    environments: OrderedMap.of(state.environments.map((environment) => [environment.name, environment])),
    roles: OrderedMap.of([...state.roles, ...builtInRoles].map((role) => [role.name, role])),
    principals: Principals.of(state.principals),
    assignments: Assignments.of(state.assignments),
    agents,
    groups: OrderedMap.of((state.groups ?? []).map((group) => [group.id, group])),
  });
}

/** The snapshot after a change of which these are the images, in their order. */
export function snapshotWith(present: Snapshot, images: readonly PolicyImage[], epoch: number): Snapshot {
  // Nothing in it has changed: what was computed from it stays.
  if (images.length === 0) return { ...present, epoch };
  const changed = <O extends PolicyImage["of"]>(of: O) =>
    images.flatMap((image) => (image.of === of ? [[image.id, image.now] as const] : [])) as (readonly [
      string,
      Extract<PolicyImage, { of: O }>["now"],
    ])[];
  return compile({
    epoch,
    environments: present.environments.with(orNone(changed("environment"))),
    // A built-in role is what the program says, whatever a row of its name says.
    roles: present.roles.with(orNone(changed("role").filter(([name]) => !isBuiltInRole(name)))),
    principals: present.principals.with(changed("principal")),
    assignments: present.assignments.with(changed("assignment")),
    agents: present.agents,
    groups: present.groups.with(orNone(changed("group"))),
  });
}

function orNone<T>(changes: readonly (readonly [string, T | null])[]): (readonly [string, T | undefined])[] {
  return changes.map(([id, now]) => [id, now ?? undefined]);
}

function compile(tables: PolicyTables): Snapshot {
  const { environments, roles, principals, assignments } = tables;
  const rights = new WeakMap<KeyRecord, EffectiveRight>();
  // Many keys share a scope, and keys of one owner the owner's permissions: each is compiled once per snapshot.
  const ceilings = ceilingsUnder(roles);
  const lives = new Map<string, LiveRight>();
  // And without access conditions a key's whole right is that of every such key of its owner: records are created again
  // for each use, and all keys of one kind have the same scope and limits.
  const shared = new WeakMap<RightSpec | Boundary, Map<string | null, SharedRight>>();

  function ceilingOf(key: KeyRecord): readonly CompiledGrant[] {
    // A scope always restricts to its selectors: none means no model (DESIGN 2).
    const spec = { ...key.ceiling, models: key.ceiling.models ?? [] };
    const scope = remembered(ceilings, JSON.stringify(spec), () => compileRight(spec, roles));
    return key.boundary ? boundedScope(scope, key.boundary) : scope;
  }

  function computeLive(owner: Principal, environment: string): LiveRight {
    const held = assignments
      .about(owner)
      .filter((assignment) => assignment.environment === environment && holds(owner, assignment, tables));
    return {
      grants: held.flatMap((assignment) => compileRight(assignment.right, roles)),
      roles: held.flatMap((assignment) => assignment.right.roles),
    };
  }

  /** A log-in that an administrator made possible works only while what it opens is that administrator's to hand out. */
  function isVouchedFor({ session, environment }: KeyRecord, owner: Principal): boolean {
    return !session?.voucher || coversHoldings(session.voucher, owner, tables, environment);
  }

  function computeRight(key: KeyRecord): EffectiveRight | undefined {
    const environment = environments.get(key.environment);
    if (!environment) return undefined;
    const owner = key.owner === null ? undefined : principals.get(key.owner);
    const isOwnerDisabled = !owner || isDisabledIn(owner, environment.name);
    const live =
      isOwnerDisabled || !isVouchedFor(key, owner)
        ? NO_LIVE_RIGHT
        : remembered(lives, `${environment.name} ${owner.id}`, () => computeLive(owner, environment.name));
    const usedRoles = [...new Set([...key.ceiling.roles, ...live.roles])]
      .map((name) => roles.get(name))
      .filter((role) => role !== undefined);
    return {
      environment,
      ceiling: ceilingOf(key),
      live: live.grants,
      token: null,
      isOwnerDisabled,
      team: owner?.team ?? null,
      share: shareTermsOf(environment, owner?.team ?? null, key.limits, usedRoles),
      doors: [doorOf(`environment ${environment.name}`, environment), doorOf(`key ${key.id}`, key)].filter(
        (door) => door !== null,
      ),
      limits: limitRowsOf(environment, owner, key.limits, usedRoles),
    };
  }

  function sharedRight(key: KeyRecord): EffectiveRight | undefined {
    // A boundary is of one key alone.
    const scope = key.boundary ?? key.ceiling;
    const byOwner = shared.get(scope);
    const held = byOwner?.get(key.owner);
    if (held?.limits === key.limits && held.right.environment.name === key.environment) return held.right;
    const right = computeRight(key);
    if (!right) return undefined;
    const now = { right, limits: key.limits };
    if (byOwner) byOwner.set(key.owner, now);
    else shared.set(scope, new Map([[key.owner, now]]));
    return right;
  }

  return {
    ...tables,
    holds: (principal, assignment) => holds(principal, assignment, tables),
    covers: (voucher, principal) => coversHoldings(voucher, principal, tables),
    rightOf(key) {
      if (hasNoDoor(key)) return sharedRight(key);
      const held = rights.get(key);
      if (held) return held;
      const right = computeRight(key);
      if (right) rights.set(key, right);
      return right;
    },
  };
}

/** Nothing in its right is of this key alone. */
function hasNoDoor({ networks, require, session }: KeyRecord): boolean {
  return networks === null && require.length === 0 && session?.voucher === undefined;
}

interface SharedRight {
  readonly right: EffectiveRight;
  /** Of the key it was computed for. */
  readonly limits: Limits;
}

interface LiveRight {
  readonly grants: readonly CompiledGrant[];
  readonly roles: readonly string[];
}

const NO_AGENTS: Agents = new Map();
const NO_LIVE_RIGHT: LiveRight = { grants: [], roles: [] };
const REMEMBERED_MAX = 8_192;

/** Compiled scopes depend on the roles alone, so they survive a change of anything else. */
const compiledCeilings = new WeakMap<object, Map<string, readonly CompiledGrant[]>>();

function ceilingsUnder(roles: OrderedMap<Role>): Map<string, readonly CompiledGrant[]> {
  const held = compiledCeilings.get(roles) ?? new Map<string, readonly CompiledGrant[]>();
  compiledCeilings.set(roles, held);
  return held;
}

/** What was computed for that name before, or now. Memory is bounded: a full table is emptied. */
function remembered<T>(table: Map<string, T>, name: string, compute: () => T): T {
  const held = table.get(name);
  if (held !== undefined) return held;
  if (table.size >= REMEMBERED_MAX) table.clear();
  const value = compute();
  table.set(name, value);
  return value;
}

/** Knows nothing and denies everything. */
export const emptySnapshot: Snapshot = compileSnapshot({
  epoch: 0,
  environments: [],
  roles: [],
  principals: [],
  assignments: [],
});
