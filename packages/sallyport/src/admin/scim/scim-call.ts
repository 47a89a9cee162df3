/** One call of a provisioning client, and what its handlers have in common. */
import { SCIM_PAGE_MAX } from "../../identity/scim-pages.ts";
import { createHash } from "node:crypto";
import { excessAdminRight, excessEnvironments } from "../../access/attenuation.ts";
import { isUnbounded } from "../../access/holding.ts";
import type { Principal, Voucher } from "../../access/policy.ts";
import { ScimRefused } from "../../identity/scim-refused.ts";
import type { Members } from "../../identity/scim-values.ts";
import type { Statement } from "../../identity/statement.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { addressField, refuseExcess } from "../call.ts";
import type { AnyCall } from "../call.ts";
import { callersVoucher, excessReach, reachOf } from "../caller-scope.ts";

export const SCIM_BASE = "/scim/v2";
export const SCIM_PAGE_DEFAULT = 100;

export interface ScimCall extends AnyCall {
  readonly method: string;
  /** Null for the collection. */
  readonly id: string | null;
  readonly query: URLSearchParams;
  /** Reads the body; strict JSON. */
  readonly body: () => Promise<unknown>;
  readonly ifMatch: string | null;
}

export interface ScimAnswer {
  readonly status: 200 | 201 | 204;
  readonly body: Members | null;
}

/** What the client says of a person, as the reconciler hears it. Its requests carry no time: they come one after another. */
export function byClient(
  call: ScimCall,
  what: string,
): Pick<Statement, "source" | "by" | "actor" | "address" | "event" | "isOnce" | "at"> {
  const { actor } = call.caller.issuer;
  const from = addressField(call.caller);
  return { source: "scim", by: actor, actor, ...from, event: `${call.method} ${what}`, isOnce: false, at: null };
}

/** People whom a provisioning client made; those made here are not the directory's. */
export function isProvisioned({ kind, external }: Principal): boolean {
  return kind === "person" && external !== null && external.scim !== null && !external.scim.isDeleted;
}

export function provisioned(call: AnyCall, work: LongWork): Promise<Principal[]> {
  return work.filter(call.ports.snapshot().principals.values(), isProvisioned);
}

export function findProvisioned(call: AnyCall, id: string): Principal {
  const found = call.ports.snapshot().principals.get(id);
  if (!found || !isProvisioned(found)) throw new ScimRefused(null, `there is no user ${id.slice(0, 64)}`, 404);
  return found;
}

/** Something of the person must lie in environments the client administers; what it changes is then changed there. */
export function demandReach(call: AnyCall, person: Principal): void {
  refuseExcess(excessReach(call, reachOf(call, person)));
}

/**
 * Sign-in identifiers are rewritten by callers that could have written them: with a delegation scope as wide as the
 * writer's, or as the agent of the same provider.
 */
export function demandIdentifier(call: AnyCall, person: Principal): void {
  refuseExcess(excessOfIdentifier(call, person));
}

export function excessOfIdentifier(call: AnyCall, person: Principal): string[] {
  const written = person.bounds?.identifier;
  return written ? excessOfWriter(call, written) : excessEnvironments(call.caller.issuer.right, reachOf(call, person));
}

/** What the writer could hand out that the caller could not. */
export function excessOfWriter(call: AnyCall, written: Voucher): string[] {
  const { right } = call.caller.issuer;
  const own = callersVoucher(call);
  if (written.by === own.by || (written.agentOf !== undefined && written.agentOf === own.agentOf)) return [];
  return written.agentOf === undefined || isUnbounded(own)
    ? excessAdminRight(right, { permissions: [], environments: written.environments, mayGrant: written.mayGrant })
    : [`the settings name another client as the agent of ${written.agentOf}, and it wrote these ids`];
}

/** Two writers that speak for different environments do not get into each other's way. */
export function areApart(within: readonly string[] | undefined, written: Voucher | undefined): boolean {
  if (within === undefined || written === undefined || written.environments === "*") return false;
  return !written.environments.some((environment) => within.includes(environment));
}

/** Weak: it says that the resource is as it was read (RFC 7644, 3.14). */
export function withVersion(resource: Members): Members {
  const { meta, ...rest } = resource;
  const version = `W/"${createHash("sha256").update(JSON.stringify(rest)).digest("base64url").slice(0, 22)}"`;
  return { ...rest, meta: { ...(meta as Members), version } };
}

export function versionOf(resource: Members): string {
  return String((resource["meta"] as Members)["version"]);
}

export function demandMatch({ ifMatch }: ScimCall, present: Members): void {
  if (ifMatch === null || ifMatch === "*") return;
  if (!ifMatch.split(",").some((tag) => tag.trim() === versionOf(present)))
    throw new ScimRefused(null, "the resource has changed since it was read", 412);
}

/** One page (RFC 7644, 3.4.2.4), and how many there are in all. */
export async function pageOf<T>(
  found: readonly T[],
  { query }: ScimCall,
  show: (one: T) => Members,
  work = new LongWork(),
): Promise<ScimAnswer> {
  const startIndex = Math.max(1, numberOf(query, "startIndex", 1));
  const count = Math.min(SCIM_PAGE_MAX, numberOf(query, "count", SCIM_PAGE_DEFAULT));
  const page = await work.flatMap(found.slice(startIndex - 1, startIndex - 1 + count), (one) => [show(one)]);
  return {
    status: 200,
    body: {
      schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
      totalResults: found.length,
      startIndex,
      itemsPerPage: page.length,
      Resources: page,
    },
  };
}

function numberOf(query: URLSearchParams, name: string, usual: number): number {
  const text = query.get(name);
  if (text === null) return usual;
  if (!/^-?[0-9]{1,9}$/.test(text)) throw new ScimRefused("invalidValue", `${name} is not a whole number`);
  return Math.max(0, Number(text));
}
