/** People and services. What a change would set free or stop must lie in environments the caller administers. */
import { Problem } from "@sallyport/protocol";
import type { PrincipalView } from "@sallyport/contract";
import { isDisabledIn, isUnbounded } from "../../access/holding.ts";
import { newPrincipal } from "../../access/new-principal.ts";
import type { Principal } from "../../access/policy.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { refuseExcess } from "../call.ts";
import type { AnyCall, CallById, Handlers } from "../call.ts";
import { callersVoucher, excessGroups, excessHoldings, excessReach, reachOf, withinOf } from "../caller-scope.ts";
import { pageById } from "../page-by-id.ts";
import { viewPrincipal } from "../views.ts";
import { byAdmin, principalCreated } from "./recorded.ts";

export const principalHandlers: Handlers<
  "principals.list" | "principals.create" | "principals.show" | "principals.disable" | "principals.enable"
> = {
  "principals.list": async (call) => {
    const { ports, query } = call;
    const work = new LongWork();
    const { page, next } = await pageById(
      ports.snapshot().principals,
      query,
      ({ kind, name }) =>
        (query.kind === undefined || kind === query.kind) && (query.name === undefined || name === query.name),
      work,
    );
    return { principals: await work.flatMap(page, (principal) => [viewInFull(call, principal)]), next };
  },

  "principals.create": (call) =>
    call.ports.changes.inTurn(async () => {
      const { ports, body } = call;
      const { principals } = ports.snapshot();
      if (principals.called("name", body.name).some(({ kind, name }) => kind === body.kind && name === body.name)) {
        throw new Problem("already_exists", `there is a ${body.kind} named ${JSON.stringify(body.name)}`);
      }
      const groups = [...new Set(body.groups)];
      refuseExcess(excessGroups(call, groups));
      const { kind, name, team } = body;
      const voucher = callersVoucher(call);
      const made = newPrincipal({ kind, name, team, groups, createdAt: ports.clock.now() });
      // What is assigned to a group later counts for its members as far as the writer of the membership could grant it.
      const principal: Principal =
        isUnbounded(voucher) || groups.length === 0
          ? made
          : { ...made, bounds: { memberships: groups.map((group) => ({ group, voucher })) } };
      await ports.changes.change({
        operations: [{ op: "principal.put", principal }],
        events: [principalCreated(call, principal)],
      });
      return viewPrincipal(principal);
    }),

  "principals.show": (call) => viewInFull(call, findPrincipal(call, call.params.id)),
  "principals.disable": switchPrincipal(true),
  "principals.enable": switchPrincipal(false),
};

/** Administrators of some environments see a user as disabled who may act in none of them. */
export function viewInFull(call: AnyCall, principal: Principal): PrincipalView {
  const { ports } = call;
  const view = viewPrincipal(principal, ports.localLogins.stateOf(principal.id, ports.clock.now()));
  const isDisabled = withinOf(call)?.every((name) => isDisabledIn(principal, name)) ?? false;
  return { ...view, isDisabled: view.isDisabled || isDisabled };
}

export function findPrincipal(call: AnyCall, id: string): Principal {
  const principal = call.ports.snapshot().principals.get(id);
  if (!principal) throw new Problem("not_found", `there is no person or service with the id ${id}`);
  return principal;
}

function switchPrincipal(isDisabled: boolean): (call: CallById) => Promise<PrincipalView> {
  return (call) =>
    call.ports.changes.inTurn(async () => {
      const { reconciler, snapshot } = call.ports;
      const present = findPrincipal(call, call.params.id);
      refuseExcess(excessReach(call, reachOf(call, present)));
      if (!isDisabled) demandEnabling(call, present);
      const within = withinOf(call);
      const event = isDisabled ? "principals.disable" : "principals.enable";
      const says = { isActive: !isDisabled };
      await reconciler.write(
        reconciler.judge([
          {
            ...byAdmin(call, event),
            subject: { principal: present.id },
            says,
            isOnce: false,
            at: null,
            ...(within === undefined ? {} : { within }),
          },
        ]),
      );
      return viewInFull(call, snapshot().principals.get(present.id) ?? present);
    });
}

/**
 * Enabling grants what the principal holds. Administrators of some environments withdraw what was said for these: what
 * a full administrator has stopped stays stopped.
 */
function demandEnabling(call: AnyCall, present: Principal): void {
  const within = withinOf(call);
  refuseExcess(excessHoldings(call, present, within));
  if (!present.isDisabled) return;
  if (!present.disabledBy.includes("admin"))
    throw new Problem("owner_disabled_elsewhere", `said by ${present.disabledBy.join(", ")}`);
  if (within !== undefined) refuseExcess(["it was disabled in all environments, and not all are the issuer's"]);
}
