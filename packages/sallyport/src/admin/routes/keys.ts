/** Keys: listing, showing and their states. `revoked` is final; asking for the state a key is in changes nothing. */
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import type { KeyView, ListedKey } from "@sallyport/contract";
import { administers } from "../../access/attenuation.ts";
import type { EventType } from "../../audit/event.ts";
import { openIncidentOf } from "../../incident/incident.ts";
import { LongWork } from "../../kernel/long-work.ts";
import type { KeyRecord } from "../../keys/key.ts";
import { isSuspendedForDisuse } from "../../keys/own-resume.ts";
import { dayOf } from "../../usage/usage-row.ts";
import { addressField, eventOf } from "../call.ts";
import { demandKnownEnvironment, knownPrincipal } from "../known-filter.ts";
import type { Call, CallById, Handlers } from "../call.ts";
import { everyKey } from "../each-key.ts";
import { findKey } from "../find-key.ts";
import { refuseSession } from "../gated-ports.ts";
import { isoTime, viewKey, viewKeyInFull } from "../views.ts";
import { createKey } from "./issue-key.ts";
import { finishRotation, rotateKey, sweepKeys } from "./key-life.ts";

const PAGE_DEFAULT = 200;
/** Of which a list shows the number of requests. */
const RECENT_DAYS = 30;

async function listKeys(call: Call<"keys.list">): Promise<{ keys: ListedKey[]; next: string | null }> {
  const { ports, caller, query } = call;
  const { environment, after, limit = PAGE_DEFAULT } = query;
  if (environment !== undefined) demandKnownEnvironment(call, environment);
  const owner = query.owner === undefined ? undefined : knownPrincipal(call, query.owner);
  const now = ports.clock.now();
  const work = new LongWork();
  const found: KeyRecord[] = [];
  const filter = {
    ...(environment === undefined ? {} : { environment }),
    ...(owner === undefined ? {} : { owner }),
    ...(after === undefined ? {} : { after }),
  };
  for await (const key of everyKey(ports, filter, work)) {
    // Admin keys have a separate list.
    if (key.environment === SYSTEM_REALM || !administers(caller.issuer.right, key.environment)) continue;
    found.push(key);
    if (found.length > limit) break;
  }
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const today = dayOf(now);
  const requests = await ports.usage.requestsOf(
    page.map(({ environment: name, id }) => ({ environment: name, id })),
    today - RECENT_DAYS + 1,
    today,
  );
  const { principals } = ports.snapshot();
  const ownerName = (id: string | null): string | null => (id === null ? null : (principals.get(id)?.name ?? null));
  let at = 0;
  return {
    keys: await work.flatMap(page, (key) => [
      {
        ...viewKey(key, now),
        ownerName: ownerName(key.owner),
        lastUsedAt: lastUseOf(ports, key),
        recentRequests: requests[at++] ?? 0,
      },
    ]),
    next: last && found.length > limit ? `${last.environment}/${last.id}` : null,
  };
}

/** Null for one that was never used, and where what is stored of its uses is damaged. */
function lastUseOf({ uses }: Call<"keys.list">["ports"], { environment, id }: KeyRecord): string | null {
  try {
    const last = Math.max(0, ...uses.lastUses(environment, id).values());
    return last === 0 ? null : isoTime(last);
  } catch (problem) {
    if (problem instanceof Problem && problem.code === "record_damaged") return null;
    throw problem;
  }
}

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
