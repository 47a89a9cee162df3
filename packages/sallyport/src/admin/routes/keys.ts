/** Keys: showing and their states. `revoked` is final; asking for the state a key is in changes nothing. */
import { Problem } from "@sallyport/protocol";
import type { KeyView } from "@sallyport/contract";
import type { EventType } from "../../audit/event.ts";
import { openIncidentOf } from "../../incident/incident.ts";
import { isSuspendedForDisuse } from "../../keys/own-resume.ts";
import { addressField, eventOf } from "../call.ts";
import type { CallById, Handlers } from "../call.ts";
import { findKey } from "../find-key.ts";
import { refuseSession } from "../gated-ports.ts";
import { viewKey, viewKeyInFull } from "../views.ts";
import { createKey } from "./issue-key.ts";
import { finishRotation, rotateKey, sweepKeys } from "./key-life.ts";
import { listKeys } from "./key-list.ts";

/**
 * Suspends it. A key that was suspended for inactivity gets the administrator's reason: its owner can no longer resume
 * it.
 */
function stop(state: "suspended" | "revoked", type: EventType): (call: CallById) => Promise<KeyView> {
  return (call) =>
    call.ports.changes.inTurn(async () => {
      const key = findKey(call, call.params.id);
      const now = call.ports.clock.now();
      if (key.state === state && !isSuspendedForDisuse(key)) return viewKey(key, now);
      if (key.state === "revoked") throw new Problem("conflict", `key ${key.id} is revoked, which is final`);
      const { environment, id } = key;
      const reason = "by_administrator";
      await call.ports.changes.change({
        operations: [{ op: "key.state", environment, id, state, reason }],
        events: [eventOf(call, type, environment, { key: id, name: key.name, owner: key.owner })],
      });
      return viewKey({ ...key, state, reason }, now);
    });
}

async function resume(call: CallById): Promise<KeyView> {
  const key = findKey(call, call.params.id);
  refuseSession(key);
  const { environment, id } = key;
  const incident = openIncidentOf(call.ports.incidents.list(), { environment, id });
  // A possibly stolen key is not reactivated in passing: that is done explicitly in its incident.
  if (incident)
    throw new Problem(
      "conflict",
      `incident ${incident.id} of this key is open: sallyport incident close ${incident.id}`,
    );
  const order = { environment, id, actor: call.caller.issuer.actor, fields: addressField(call.caller) };
  const resumed = await call.ports.lifecycle.resume(order);
  return viewKey(resumed, call.ports.clock.now());
}

export const keyHandlers: Handlers<
  | "keys.list"
  | "keys.create"
  | "keys.show"
  | "keys.suspend"
  | "keys.resume"
  | "keys.revoke"
  | "keys.rotate"
  | "keys.finish"
  | "keys.sweep"
> = {
  "keys.list": listKeys,
  "keys.create": createKey,
  "keys.show": (call) => {
    const key = findKey(call, call.params.id);
    return viewKeyInFull(key, call.ports.uses.of(key.environment, key.id), call.ports.clock.now());
  },
  "keys.rotate": rotateKey,
  "keys.finish": finishRotation,
  "keys.sweep": sweepKeys,
  "keys.suspend": stop("suspended", "key.suspended"),
  "keys.resume": resume,
  "keys.revoke": stop("revoked", "key.revoked"),
};
