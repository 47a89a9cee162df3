/** What a caller's own environments are for a change about people: what it gives counts there, what it takes goes there. */
import { boundsIn, excessAssigned, excessEnvironments, excessRight } from "../access/attenuation.ts";
import { holdingsOf, speaksFor, voucherOf, vouchesFor } from "../access/holding.ts";
import type { Principal, Voucher } from "../access/policy.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { AnyCall } from "./call.ts";
import { eachKey } from "./each-key.ts";

/** The environments a caller speaks for; undefined = all. */
export function withinOf({ caller }: AnyCall): readonly string[] | undefined {
  const { environments } = caller.issuer.right;
  return environments === "*" ? undefined : environments;
}

/** Who stands behind what the caller writes, and whose agent it is by the settings. */
export function callersVoucher({ ports, caller }: AnyCall): Voucher {
  const agentOf = ports.agentOf?.(caller.issuer.actor);
  return { ...voucherOf(caller.issuer), ...(agentOf === undefined ? {} : { agentOf }) };
}

/** Every environment in which the principal has a right or a key. */
export function reachOf({ ports }: AnyCall, principal: Principal): ReadonlySet<string> {
  const snapshot = ports.snapshot();
  const reach = new Set<string>();
  for (const { environment } of holdingsOf(principal, snapshot)) reach.add(environment);
  for (const key of eachKey(ports, { owner: principal.id })) if (key.state !== "revoked") reach.add(key.environment);
  return reach;
}

/** Environments a group gives something in. */
export function groupReach({ ports }: AnyCall, group: string): ReadonlySet<string> {
  return new Set(
    ports
      .snapshot()
      .assignments.ofGroup(group)
      .map(({ environment }) => environment),
  );
}

/** All of it lies in the caller's environments. */
export function isWhollyYours(call: AnyCall, reach: ReadonlySet<string>): boolean {
  return excessEnvironments(call.caller.issuer.right, reach).length === 0;
}

/**
 * Taking away requires the permission over what is taken: some of it must be in the caller's environments, and only
 * that is taken. What others attached to a user or group does not prevent it.
 */
export function excessReach(call: AnyCall, reach: ReadonlySet<string>): string[] {
  const excess = excessEnvironments(call.caller.issuer.right, reach);
  return reach.size > 0 && excess.length === reach.size ? excess : [];
}

/** Joining a group is being given what is assigned to it, wherever the caller's word about it counts. */
export function excessGroups(call: AnyCall, groups: readonly string[]): string[] {
  const snapshot = call.ports.snapshot();
  const voucher = callersVoucher(call);
  return groups.flatMap((group) => [
    ...excessReach(call, groupReach(call, group)),
    ...snapshot.assignments
      .ofGroup(group)
      .filter((assignment) => speaksFor(voucher, assignment.environment, snapshot))
      .filter((assignment) => !vouchesFor(voucher, assignment, snapshot))
      .flatMap((assignment) => excessAssigned(call.caller.issuer.right, assignment, snapshot)),
  ]);
}

/** What the principal holds in those environments (undefined: anywhere) that the caller could not hand out. */
export function excessHoldings(call: AnyCall, principal: Principal, within?: readonly string[]): string[] {
  const { right } = call.caller.issuer;
  const snapshot = call.ports.snapshot();
  return holdingsOf(principal, snapshot)
    .filter((assignment) => within?.includes(assignment.environment) ?? true)
    .flatMap((assignment) => [
      ...excessEnvironments(right, [assignment.environment]),
      ...excessAssigned(right, assignment, snapshot),
    ]);
}

/** What a key opens that the caller could not hand out, with the limits and guards that bind it. */
export function excessKey(call: AnyCall, key: Pick<KeyRecord, "environment" | "ceiling" | "limits">): string[] {
  const { environments, roles } = call.ports.snapshot();
  const bounds = [{ limits: key.limits }, ...boundsIn(key.environment, environments)];
  return excessRight(call.caller.issuer.right, key.ceiling, roles, bounds);
}
