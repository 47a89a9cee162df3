/** People and services. What a change would set free or stop must lie in environments the caller administers. */
import { Problem } from "@sallyport/protocol";
import type { PrincipalView } from "@sallyport/protocol/contract";
import { excessEnvironments, excessRight } from "../../access/attenuation.ts";
import { newPrincipal } from "../../access/new-principal.ts";
import type { Principal } from "../../access/policy.ts";
import { refuseExcess } from "../call.ts";
import type { AnyCall, CallById, Handlers } from "../call.ts";
import { eachKey } from "../each-key.ts";
import { viewPrincipal } from "../views.ts";
import { byAdmin, principalCreated } from "./recorded.ts";

export const principalHandlers: Handlers<
  "principals.list" | "principals.create" | "principals.show" | "principals.disable" | "principals.enable"
> = {
  "principals.list": ({ ports, query }) => {
    const principals = [...ports.snapshot().principals.values()].filter(
      (principal) =>
        (query.kind === undefined || principal.kind === query.kind) &&
        (query.name === undefined || principal.name === query.name),
    );
    return { principals: principals.map((principal) => viewInFull({ ports }, principal)) };
  },

  "principals.create": (call) =>
    call.ports.changes.inTurn(async () => {
      const { ports, body } = call;
      const { principals } = ports.snapshot();
      if ([...principals.values()].some((principal) => principal.kind === body.kind && principal.name === body.name)) {
        throw new Problem("already_exists", `there is a ${body.kind} named ${JSON.stringify(body.name)}`);
      }
      const groups = [...new Set(body.groups)];
      refuseExcess(excessGroups(call, groups));
      const { kind, name, team } = body;
      const principal = newPrincipal({ kind, name, team, groups, createdAt: ports.clock.now() });
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

export function viewInFull({ ports }: Pick<AnyCall, "ports">, principal: Principal): PrincipalView {
  return viewPrincipal(principal, ports.localLogins.stateOf(principal.id, ports.clock.now()));
}

export function findPrincipal(call: AnyCall, id: string): Principal {
  const principal = call.ports.snapshot().principals.get(id);
  if (!principal) throw new Problem("not_found", `there is no person or service with the id ${id}`);
  return principal;
}

/** Joining a group is being given what is assigned to it. */
export function excessGroups(call: AnyCall, groups: readonly string[]): string[] {
  const { right } = call.caller.issuer;
  const { assignments, roles } = call.ports.snapshot();
  return assignments
    .filter(({ subject }) => "group" in subject && groups.includes(subject.group))
    .flatMap((assignment) => [
      ...excessEnvironments(right, [assignment.environment]),
      ...excessRight(right, assignment.right, roles),
    ]);
}

function switchPrincipal(isDisabled: boolean): (call: CallById) => Promise<PrincipalView> {
  return (call) =>
    call.ports.changes.inTurn(async () => {
      const { reconciler, snapshot } = call.ports;
      const present = findPrincipal(call, call.params.id);
      refuseExcess(excessEnvironments(call.caller.issuer.right, reachOf(call, present)));
      if (!isDisabled && present.isDisabled && !present.disabledBy.includes("admin"))
        throw new Problem("owner_disabled_elsewhere", `said by ${present.disabledBy.join(", ")}`);
      const event = isDisabled ? "principals.disable" : "principals.enable";
      const says = { isActive: !isDisabled };
      await reconciler.write(
        reconciler.judge([
          { ...byAdmin(call, event), subject: { principal: present.id }, says, isOnce: false, at: null },
        ]),
      );
      return viewInFull(call, snapshot().principals.get(present.id) ?? present);
    });
}

/** Every environment in which the principal has a right or a key. */
export function* reachOf(call: AnyCall, principal: Principal): Generator<string> {
  for (const { subject, environment } of call.ports.snapshot().assignments) {
    if ("group" in subject ? principal.groups.includes(subject.group) : subject.principal === principal.id)
      yield environment;
  }
  if (call.caller.issuer.right.environments === "*") return;
  for (const key of eachKey(call.ports, { owner: principal.id })) if (key.state !== "revoked") yield key.environment;
}
