/** Ways in without a provider. Whoever invites a person could become him, so he must be able to grant what that one may do. */
import { Problem } from "@sallyport/protocol";
import { excessEnvironments, excessRight } from "../../access/attenuation.ts";
import type { Principal } from "../../access/policy.ts";
import { eventOf, refuseExcess } from "../call.ts";
import type { AnyCall, Handlers } from "../call.ts";
import { isoTime } from "../views.ts";
import { findPrincipal, reachOf, viewInFull } from "./principals.ts";

export const localPeopleHandlers: Handlers<"principals.invite" | "principals.uninvite"> = {
  "principals.invite": (call) =>
    call.ports.changes.inTurn(async () => {
      const { enrolment, enrolmentPage } = call.ports;
      const person = findPrincipal(call, call.params.id);
      if (person.kind !== "person") throw new Problem("input_invalid", "a service has keys; only people log in");
      if (person.isDisabled) throw new Problem("owner_disabled");
      refuseExcess(excessOf(call, person));
      const fields = { principal: person.id, name: person.name };
      const { code, expiresAt } = await enrolment.invite(person, eventOf(call, "person.invited", "system", fields));
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
      refuseExcess(excessEnvironments(call.caller.issuer.right, reachOf(call, person)));
      if (!localLogins.of(person.id)) throw new Problem("not_found", `${person.name} has no way in of his own`);
      const fields = { principal: person.id, name: person.name };
      await changes.change({
        operations: [{ op: "localLogin.remove", principal: person.id }],
        events: [eventOf(call, "person.local_removed", "system", fields)],
      });
      await reconciler.endSessions({ principal: person.id });
      return viewInFull(call, person);
    }),
};

/** What he may do that the caller could not give him. */
function excessOf(call: AnyCall, person: Principal): string[] {
  const { right } = call.caller.issuer;
  const { assignments, roles } = call.ports.snapshot();
  const held = assignments.filter(({ subject }) =>
    "group" in subject ? person.groups.includes(subject.group) : subject.principal === person.id,
  );
  return [
    ...excessEnvironments(right, reachOf(call, person)),
    ...held.flatMap((assignment) => excessRight(right, assignment.right, roles)),
  ];
}
