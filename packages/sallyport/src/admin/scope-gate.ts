/**
 * The gate every administrative change goes through: each operation is compared with what there is, and what opens wider
 * must lie within the caller's delegation scope (R6). A handler cannot forget it: the ports it is given ask by themselves.
 * What has to look at all assignments or keys looks once a change, in slices.
 */
import {
  boundsIn,
  excessAdminRight,
  excessAssigned,
  excessEnvironments,
  excessGrants,
  excessRight,
} from "../access/attenuation.ts";
import { holdingsOf, isDisabledIn, isUnbounded } from "../access/holding.ts";
import type { Issuer } from "../access/issuer.ts";
import { assignmentsAfter, environmentsAfter, rolesAfter } from "../access/policy-after.ts";
import type { Assignments } from "../access/assignments.ts";
import type { AdminRight, Assignment, Environment, Principal, Role } from "../access/policy.ts";
import type { Snapshot } from "../access/snapshot.ts";
import { widens } from "../access/widening.ts";
import type { Changed } from "../access/widening.ts";
import type { Operation } from "../changes/change.ts";
import { LongWork } from "../kernel/long-work.ts";
import type { KeyRecord } from "../keys/key.ts";
import { everyKey } from "./each-key.ts";
import type { AdminPorts } from "./ports.ts";

export type GatePorts = Pick<AdminPorts, "snapshot" | "listKeys"> &
  Partial<Pick<AdminPorts, "keys" | "localLogins" | "restrictions" | "rightsizings" | "agentOf">>;

/** What the operations open that the issuer could not hand out; empty = the scope suffices. Call it in the change's turn. */
export async function excessOfOperations(
  ports: GatePorts,
  issuer: Issuer,
  operations: readonly Operation[],
  work = new LongWork(),
): Promise<string[]> {
  if (isUnbounded(issuer.right)) return [];
  const judge = new ScopeJudge(ports, issuer, operations, work);
  const excess = new Set<string>();
  for (const operation of operations) {
    for (const says of await judge.excess(operation)) excess.add(says);
    const resting = work.rest();
    if (resting) await resting;
  }
  return [...excess];
}

/** What serving an environment more opens that the issuer could not hand out. Call it in the change's turn. */
export async function excessOfOpening(ports: GatePorts, issuer: Issuer, environment: string): Promise<string[]> {
  if (isUnbounded(issuer.right)) return [];
  return [...new Set(await new ScopeJudge(ports, issuer, [], new LongWork()).environment(environment))];
}

/** Of an environment's keys that are not revoked, one for each that is bounded alike. */
interface KeyKinds {
  readonly ofServices: readonly KeyRecord[];
  readonly byRole: ReadonlyMap<string, readonly KeyRecord[]>;
}

class ScopeJudge {
  readonly #ports: GatePorts;
  readonly #right: AdminRight;
  readonly #agentOf: string | undefined;
  readonly #before: Snapshot;
  /** Policy once the whole change is made. */
  readonly #environments: ReadonlyMap<string, Environment>;
  readonly #roles: ReadonlyMap<string, Role>;
  readonly #assignments: Assignments;
  readonly #work: LongWork;
  /** Principals of the change that are services. */
  readonly #madeKinds: ReadonlyMap<string, Principal["kind"]>;
  readonly #keyKinds = new Map<string, Promise<KeyKinds>>();

  constructor(ports: GatePorts, { actor, right }: Issuer, operations: readonly Operation[], work: LongWork) {
    this.#ports = ports;
    this.#work = work;
    this.#madeKinds = new Map(
      operations.flatMap((one) => (one.op === "principal.put" ? [[one.principal.id, one.principal.kind]] : [])),
    );
    this.#right = right;
    this.#agentOf = ports.agentOf?.(actor);
    this.#before = ports.snapshot();
    this.#environments = environmentsAfter(operations, this.#before);
    this.#roles = rolesAfter(operations, this.#before);
    this.#assignments = assignmentsAfter(operations, this.#before);
  }

  async excess(operation: Operation): Promise<string[]> {
    const change = this.#changeOf(operation);
    const ways = change ? widens(change.before, change.after) : [];
    if (!change || ways.length === 0) return [];
    const excess = await this.#opened(change.before, change.after);
    const what = change.after?.kind === "environment" ? ` (${ways.join("; ")})` : "";
    return excess.map((says) => `${says}${what}`);
  }

  /** Before and after, for what can open something. */
  #changeOf(operation: Operation): Pair | undefined {
    const { environments, roles, principals, assignments } = this.#before;
    const pair = <K extends Changed["kind"], T>(kind: K, before: T | undefined, after: T | null) => ({
      before: before === undefined ? null : ({ kind, of: before } as unknown as Changed),
      after: after === null ? null : ({ kind, of: after } as unknown as Changed),
    });
    switch (operation.op) {
      case "environment.put":
        return pair("environment", environments.get(operation.environment.name), operation.environment);
      case "role.put":
        return pair("role", roles.get(operation.role.name), operation.role);
      case "assignment.put": {
        const { assignment } = operation;
        return pair("assignment", assignments.get(assignment.id), assignment);
      }
      case "principal.put":
        return pair("principal", principals.get(operation.principal.id), operation.principal);
      case "localLogin.put":
        return pair("localLogin", this.#ports.localLogins?.of(operation.login.principal), operation.login);
      case "restriction.remove":
        return pair(
          "restriction",
          this.#ports.restrictions?.().find(({ id }) => id === operation.id),
          null,
        );
      case "rightsizing.put": {
        const { environment, key } = operation.rightsizing;
        return pair("rightsizing", this.#ports.rightsizings?.get(environment, key), operation.rightsizing);
      }
      case "key.insert":
        return pair("key", undefined, operation.key);
      case "key.state":
        return this.#keyChange(operation, ({ state, reason }) => ({ state, reason }));
      case "key.life":
        return this.#keyChange(operation, ({ life }) => life);
      case "key.admin":
        return this.#keyChange(operation, ({ admin }) => ({ admin }));
      case "key.narrow":
        return this.#keyChange(operation, ({ ceiling }) => ({ ceiling }));
      case "key.factors":
        return this.#keyChange(operation, ({ factors }) => factors);
      default:
        return undefined;
    }
  }

  #keyChange<O extends { readonly environment: string; readonly id: string }>(
    operation: O,
    next: (operation: O) => Partial<KeyRecord>,
  ) {
    const key = this.#ports.keys?.find(operation.environment, operation.id);
    if (!key) return undefined;
    const after: Changed = { kind: "key", of: { ...key, ...next(operation) } };
    return { before: { kind: "key", of: key } as Changed, after };
  }

  /** What the change opens that is not the issuer's to hand out. */
  async #opened(before: Changed | null, after: Changed | null): Promise<string[]> {
    const changed = after ?? before;
    switch (changed?.kind) {
      case "environment":
        return this.environment(changed.of.name);
      case "role":
        return this.#role(changed.of);
      case "assignment":
        return this.#assignment(changed.of);
      case "principal":
        return this.#principal(before?.kind === "principal" ? before.of : null, changed.of);
      case "key":
        return this.#key(changed.of);
      case "localLogin":
        return this.#holdings(this.#before.principals.get(changed.of.principal));
      case "rightsizing":
      case "restriction": {
        const key = this.#ports.keys?.find(changed.of.environment, changed.of.key);
        return key ? this.#key(key) : excessEnvironments(this.#right, [changed.of.environment]);
      }
      case undefined:
        return [];
    }
  }

  /** Opening an environment opens what everyone holds in it, and every service by its keys. */
  async environment(name: string): Promise<string[]> {
    if (this.#right.mayGrant === null)
      return [`environment ${name} is opened wider by an issuer who may grant nothing`];
    const isHere = ({ environment }: Assignment): boolean => environment === name;
    const held = [
      ...(await this.#work.filter(this.#before.assignments, isHere)),
      ...(await this.#work.filter(this.#assignments, isHere)),
    ];
    const { ofServices } = await this.#keysOf(name);
    return [
      ...excessEnvironments(this.#right, [name]),
      ...(await this.#work.flatMap(held, (assignment) => this.#assignment(assignment))),
      ...(await this.#work.flatMap(ofServices, (key) => this.#key(key))),
    ];
  }

  /**
   * Its grants, everyone who is assigned to it, and the keys that name it: their owners may hold more than they use.
   */
  async #role(role: Role): Promise<string[]> {
    const given = this.#assignments.naming(role.name);
    const excess = [
      ...excessGrants(this.#right, role.name, role.grants),
      ...(await this.#work.flatMap(given, (assignment) => this.#assignment(assignment))),
    ];
    for (const name of this.#before.environments.keys()) {
      const named = (await this.#keysOf(name)).byRole.get(role.name) ?? [];
      excess.push(...(await this.#work.flatMap(named, (key) => this.#key(key))));
    }
    return excess;
  }

  #keysOf(environment: string): Promise<KeyKinds> {
    const held = this.#keyKinds.get(environment) ?? this.#survey(environment);
    this.#keyKinds.set(environment, held);
    return held;
  }

  async #survey(environment: string): Promise<KeyKinds> {
    const seen = new Set<string>();
    const ofServices: KeyRecord[] = [];
    const byRole = new Map<string, KeyRecord[]>();
    for await (const key of everyKey(this.#ports, { environment }, this.#work)) {
      if (key.state === "revoked") continue;
      const isOfService = key.owner !== null && this.#isService(key.owner);
      const text = JSON.stringify([key.ceiling, key.limits, isOfService]);
      if (seen.has(text)) continue;
      seen.add(text);
      if (isOfService) ofServices.push(key);
      for (const name of new Set(key.ceiling.roles)) push(byRole, name, key);
    }
    return { ofServices, byRole };
  }

  #assignment(assignment: Assignment): string[] {
    const { environment, right, subject } = assignment;
    const { mayGrant } = this.#right;
    // A service acts by its keys alone, and each of them is asked for its limits when it is issued.
    const isByKeys = "principal" in subject && this.#isService(subject.principal) && typeof mayGrant === "object";
    const after = { environments: this.#environments, roles: this.#roles };
    return [
      ...excessEnvironments(this.#right, [environment]),
      ...(isByKeys && mayGrant !== null
        ? excessRight(this.#right, right, this.#roles, [mayGrant])
        : excessAssigned(this.#right, assignment, after)),
    ];
  }

  #isService(id: string): boolean {
    return (this.#madeKinds.get(id) ?? this.#before.principals.get(id)?.kind) === "service";
  }

  #key({ environment, ceiling, limits, admin }: KeyRecord): string[] {
    if (admin !== null) return excessAdminRight(this.#right, admin);
    return [
      ...excessEnvironments(this.#right, [environment]),
      ...excessRight(this.#right, { ...ceiling, models: ceiling.models ?? [] }, this.#roles, [
        { limits },
        ...boundsIn(environment, this.#environments),
      ]),
    ];
  }

  /** What the principal may do after the change and could not do before. */
  #principal(before: Principal | null, after: Principal): string[] {
    const mayUse = (principal: Principal, assignment: Assignment): boolean =>
      this.#before.holds(principal, assignment) && !isDisabledIn(principal, assignment.environment);
    const gained = this.#before.assignments
      .about(after)
      .filter(
        (assignment) =>
          mayUse(after, assignment) && !(before && mayUse(before, assignment)) && !this.#isAgentIn(assignment),
      );
    const isLocal = JSON.stringify(before?.bounds?.localLogin) !== JSON.stringify(after.bounds?.localLogin);
    return [
      ...gained.flatMap((assignment) => this.#assignment(assignment)),
      ...(isLocal && !after.bounds?.localLogin?.suspendedAt ? this.#holdings(after) : []),
    ];
  }

  #isAgentIn({ environment }: Assignment): boolean {
    const environments = this.#agentOf === undefined ? undefined : this.#before.agents.get(this.#agentOf);
    const isAgents = environments === "*" || environments?.includes(environment) === true;
    return isAgents && excessEnvironments(this.#right, [environment]).length === 0;
  }

  #holdings(principal: Principal | undefined): string[] {
    if (!principal) return [];
    return holdingsOf(principal, this.#before).flatMap((assignment) => this.#assignment(assignment));
  }
}

interface Pair {
  readonly before: Changed | null;
  readonly after: Changed | null;
}

function push<T>(lists: Map<string, T[]>, name: string, value: T): void {
  const list = lists.get(name);
  if (list) list.push(value);
  else lists.set(name, [value]);
}
