/** Keys: listing, showing and their states. `revoked` is final; asking for the state a key is in changes nothing. */
import { Problem } from "@sallyport/protocol";
import type { KeyView } from "@sallyport/protocol/contract";
import { administers } from "../../access/attenuation.ts";
import type { EventType } from "../../audit/event.ts";
import { SYSTEM_REALM } from "../../keys/key.ts";
import type { KeyRecord, KeyState } from "../../keys/key.ts";
import { demandEnvironment, eventOf } from "../call.ts";
import type { AnyCall, Call, CallById, Handlers } from "../call.ts";
import { eachKey } from "../each-key.ts";
import { viewKey } from "../views.ts";
import { createKey } from "./issue-key.ts";

const PAGE_DEFAULT = 200;

/** The key of that id, in whichever environment; refused where the caller does not administer it. */
export function findKey(call: AnyCall, id: string): KeyRecord {
  for (const environment of call.ports.snapshot().environments.keys()) {
    const key = call.ports.keys.find(environment, id);
    if (!key) continue;
    demandEnvironment(call, environment);
    return key;
  }
  throw new Problem("not_found", `there is no key ${id}`);
}

function listKeys(call: Call<"keys.list">): { keys: KeyView[]; next: string | null } {
  const { ports, caller, query } = call;
  const { environment, owner, after, limit = PAGE_DEFAULT } = query;
  if (environment !== undefined) demandEnvironment(call, environment);
  const now = ports.clock.now();
  const found: KeyRecord[] = [];
  const filter = {
    ...(environment === undefined ? {} : { environment }),
    ...(owner === undefined ? {} : { owner }),
    ...(after === undefined ? {} : { after }),
  };
  for (const key of eachKey(ports, filter)) {
    // Admin keys have a list of their own.
    if (key.environment === SYSTEM_REALM || !administers(caller.issuer.right, key.environment)) continue;
    found.push(key);
    if (found.length > limit) break;
  }
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    keys: page.map((key) => viewKey(key, now)),
    next: last && found.length > limit ? `${last.environment}/${last.id}` : null,
  };
}

function changeState(state: KeyState, type: EventType): (call: CallById) => Promise<KeyView> {
  return (call) =>
    call.ports.changes.inTurn(async () => {
      const key = findKey(call, call.params.id);
      const now = call.ports.clock.now();
      if (key.state === state) return viewKey(key, now);
      if (key.state === "revoked") throw new Problem("conflict", `key ${key.id} is revoked, which is final`);
      const { environment, id } = key;
      await call.ports.changes.change({
        operations: [{ op: "key.state", environment, id, state }],
        events: [eventOf(call, type, environment, { key: id, name: key.name, owner: key.owner })],
      });
      return viewKey({ ...key, state }, now);
    });
}

export const keyHandlers: Handlers<
  "keys.list" | "keys.create" | "keys.show" | "keys.suspend" | "keys.resume" | "keys.revoke"
> = {
  "keys.list": listKeys,
  "keys.create": createKey,
  "keys.show": (call) => viewKey(findKey(call, call.params.id), call.ports.clock.now()),
  "keys.suspend": changeState("suspended", "key.suspended"),
  "keys.resume": changeState("active", "key.resumed"),
  "keys.revoke": changeState("revoked", "key.revoked"),
};
