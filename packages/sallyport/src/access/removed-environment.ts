/**
 * What a removed environment leaves behind: names in the scope of admin keys and of writers. They are removed, so that
 * no old key and no old statement counts in an environment that is created again under the same name. Pure, in slices.
 */
import type { Operation } from "../changes/change.ts";
import { LongWork } from "../kernel/long-work.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { DirectoryGroup, Principal, PrincipalBounds, Voucher } from "./policy.ts";

export async function operationsOfRemoval(
  names: ReadonlySet<string>,
  adminKeys: AsyncIterable<KeyRecord>,
  principals: Iterable<Principal>,
  groups: Iterable<DirectoryGroup>,
  work = new LongWork(),
): Promise<Operation[]> {
  const operations: Operation[] = [];
  for await (const { environment, id, state, admin } of adminKeys) {
    if (state === "revoked" || !admin || admin.environments === "*") continue;
    const environments = admin.environments.filter((one) => !names.has(one));
    if (environments.length === admin.environments.length) continue;
    operations.push(
      environments.length === 0
        ? { op: "key.state", environment, id, state: "revoked", reason: "environment_removed" }
        : { op: "key.admin", environment, id, admin: { ...admin, environments } },
    );
  }
  await work.each(principals, (principal) => {
    const bounds = principal.bounds && boundsWithout(principal.bounds, names);
    if (bounds) operations.push({ op: "principal.put", principal: { ...principal, bounds } });
  });
  await work.each(groups, (group) => {
    const writer = group.writer && voucherWithout(group.writer, names);
    if (writer && JSON.stringify(writer) !== JSON.stringify(group.writer))
      operations.push({ op: "group.put", group: { ...group, writer } });
  });
  return operations;
}

/** Undefined if nothing in it names one of the environments. Restrictions stay, because they only take away. */
function boundsWithout(bounds: PrincipalBounds, names: ReadonlySet<string>): PrincipalBounds | undefined {
  const { memberships, identifier, localLogin } = bounds;
  const next: PrincipalBounds = {
    ...bounds,
    ...(memberships
      ? { memberships: memberships.map((one) => ({ ...one, voucher: voucherWithout(one.voucher, names) })) }
      : {}),
    ...(identifier ? { identifier: voucherWithout(identifier, names) } : {}),
    ...(localLogin ? { localLogin: voucherWithout(localLogin, names) } : {}),
  };
  return JSON.stringify(next) === JSON.stringify(bounds) ? undefined : next;
}

function voucherWithout<V extends Voucher>(voucher: V, names: ReadonlySet<string>): V {
  const { environments } = voucher;
  return environments === "*" ? voucher : { ...voucher, environments: environments.filter((one) => !names.has(one)) };
}
