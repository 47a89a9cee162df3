/**
 * Local log-ins. An administrator who invites a user could take over the account, and must therefore be able to grant
 * everything the user may do.
 */
import { Problem } from "@sallyport/protocol";
import type { PrincipalView } from "@sallyport/contract";
import { excessAdminRight, excessEnvironments } from "../../access/attenuation.ts";
import type { Principal } from "../../access/policy.ts";
import { eventOf, refuseExcess } from "../call.ts";
import type { AnyCall, CallById, Handlers } from "../call.ts";
import { callersVoucher, excessHoldings, reachOf } from "../caller-scope.ts";
import { isoTime } from "../views.ts";
import { findPrincipal, viewInFull } from "./principals.ts";

export const localPeopleHandlers: Handlers<"principals.invite" | "principals.uninvite" | "principals.confirm"> = {
  "principals.confirm": confirm,

  "principals.invite": (call) =>
    call.ports.changes.inTurn(async () => {
      const { enrolment, enrolmentPage } = call.ports;
      const person = findPrincipal(call, call.params.id);
      if (person.kind !== "person") throw new Problem("input_invalid", "a service has keys; only people log in");
      if (person.isDisabled) throw new Problem("owner_disabled");
      refuseExcess(excessOf(call, person));
      const voucher = callersVoucher(call);
      const fields = { principal: person.id, name: person.name };
      const { code, expiresAt } = await enrolment.invite(
        person,
        eventOf(call, "person.invited", "system", fields),
        voucher,
      );
      return {
        principal: person.id,
        name: person.name,
        code: code.reveal(),
        page: enrolmentPage(),
        expiresAt: isoTime(expiresAt),
      };
    }),

  "principals.uninvite": (call) =>
    call.ports.changes.inTurn(async () => {
      const { changes, localLogins, reconciler } = call.ports;
      const person = findPrincipal(call, call.params.id);
      refuseExcess(excessOfTaking(call, person));
      if (!localLogins.of(person.id)) throw new Problem("not_found", `${person.name} has no local log-in`);
      const fields = { principal: person.id, name: person.name };
      await changes.change({
        operations: [{ op: "localLogin.remove", principal: person.id }],
        events: [eventOf(call, "person.local_removed", "system", fields)],
      });
      await reconciler.endSessions({ principal: person.id });
      return viewInFull(call, person);
    }),
};

/**
 * An administrator whose delegation scope covers what the user holds now vouches for the user's sign-in identifiers: a
 * suspended local log-in works again, and the provisioned id counts again.
 */
async function confirm(call: CallById): Promise<PrincipalView> {
  return call.ports.changes.inTurn(async () => {
    const { changes, localLogins, snapshot } = call.ports;
    const person = findPrincipal(call, call.params.id);
    refuseExcess(excessOf(call, person));
    const hasLocal = localLogins.of(person.id) !== undefined;
    const hasIdentifier = typeof person.external?.scim?.externalId === "string";
    const voucher = callersVoucher(call);
    const bounds = {
      ...person.bounds,
      ...(hasLocal ? { localLogin: { ...voucher, suspendedAt: null } } : {}),
      ...(hasIdentifier ? { identifier: voucher } : {}),
    };
    const fields = { principal: person.id, name: person.name, local_login: hasLocal, external_id: hasIdentifier };
    await changes.change({
      operations: hasLocal || hasIdentifier ? [{ op: "principal.put", principal: { ...person, bounds } }] : [],
      events: [eventOf(call, "person.login_confirmed", "system", fields)],
    });
    return viewInFull(call, snapshot().principals.get(person.id) ?? person);
  });
}

/**
 * A local log-in is valid for all environments: it is removed by an administrator of all of the user's, or by one who
 * could have created it. Others disable the user in their environments.
 */
function excessOfTaking(call: AnyCall, person: Principal): string[] {
  const { right } = call.caller.issuer;
  const maker = person.bounds?.localLogin;
  const isOwn = maker && excessAdminRight(right, { ...maker, permissions: [] }).length === 0;
  return isOwn ? [] : excessEnvironments(right, reachOf(call, person));
}

/** What the person may do that the caller could not hand out. */
function excessOf(call: AnyCall, person: Principal): string[] {
  const { right } = call.caller.issuer;
  return [...new Set([...excessEnvironments(right, reachOf(call, person)), ...excessHoldings(call, person)])];
}
