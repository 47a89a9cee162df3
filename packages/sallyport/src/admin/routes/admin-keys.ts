/** Admin keys: issued, listed and ended only within the caller's own right (R6). The recovery key is reset, never issued. */
import { isDataPermission, Problem, SYSTEM_REALM } from "@sallyport/protocol";
import { noEnvironmentText } from "../known-environment.ts";
import { formatDurationMs, parseDurationMs } from "@sallyport/contract";
import { excessAdminRight, excessLifetime } from "../../access/attenuation.ts";
import { adminRoles } from "../../access/built-in-roles.ts";
import { everything } from "../../access/everything.ts";
import { KEY_AGE_MAX_MS } from "../../access/policy.ts";
import type { AdminRight } from "../../access/policy.ts";
import { buildLimits } from "../../access/limits-text.ts";
import { buildGuard } from "../../access/guard-bounds.ts";
import { unknownPermissions, unknownSelectors } from "../../access/written-right.ts";
import type { Operation } from "../../changes/change.ts";
import type { LedgerEvent } from "../../audit/event.ts";
import { issueAdminKey } from "../../keys/issue.ts";
import { expiryOf } from "../../keys/key.ts";
import type { KeyRecord } from "../../keys/key.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { eventOf, refuseExcess, refuseMistakes } from "../call.ts";
import type { AnyCall, Call, Handlers } from "../call.ts";
import { everyKey } from "../each-key.ts";
import { isoTime, viewAdminKey } from "../views.ts";

/** Name of the key that `init` and `admin reset` make. */
export const RECOVERY_NAME = "recovery";

export const adminKeyHandlers: Handlers<
  "adminKeys.list" | "adminKeys.create" | "adminKeys.revoke" | "adminKeys.reset"
> = {
  "adminKeys.list": async (call) => {
    const now = call.ports.clock.now();
    const keys = (await everyAdminKey(call)).filter((key) => isWithin(call, key));
    return { keys: keys.map((key) => viewAdminKey(key, now)) };
  },

  "adminKeys.create": (call) =>
    call.ports.changes.inTurn(async () => {
      const { ports, caller, body } = call;
      const now = ports.clock.now();
      const right = readAdminRight(call);
      const expiresAt = now + lifetimeMs(call, now);
      refuseExcess([...excessAdminRight(caller.issuer.right, right), ...excessLifetime(caller.expiresAt, expiresAt)]);
      const order = { name: body.name, right, createdAt: now, createdBy: caller.issuer.actor, expiresAt };
      const { record, text } = issueAdminKey(order, ports.peppers);
      await ports.changes.change({
        operations: [{ op: "key.insert", key: record }],
        events: [eventOf(call, "admin_key.issued", SYSTEM_REALM, issuedFields(record, right))],
      });
      return { id: record.id, key: text.reveal(), name: record.name, expiresAt: isoTime(expiresAt) };
    }),

  "adminKeys.revoke": (call) =>
    call.ports.changes.inTurn(async () => {
      const key = call.ports.keys.find(SYSTEM_REALM, call.params.id);
      if (!key) throw new Problem("not_found", `there is no admin key ${call.params.id}`);
      if (key.admin) refuseExcess(excessAdminRight(call.caller.issuer.right, key.admin));
      const now = call.ports.clock.now();
      // A thief of the key may have created others with it: they are revoked with it, unless the caller knows better.
      const made = call.query.children === "keep" ? [] : await madeWith(call, key.id);
      const ended = [...(key.state === "revoked" ? [] : [key]), ...made];
      const [first, ...rest] = ended.map((one) => revoked(call, one, one === key ? {} : { issuer: key.id }));
      if (first) await call.ports.changes.change({ operations: ended.map(ending), events: [first, ...rest] });
      return viewAdminKey({ ...key, state: "revoked" }, now);
    }),

  "adminKeys.reset": (call) =>
    call.ports.changes.inTurn(async () => {
      const { ports, caller } = call;
      const old = (await everyAdminKey(call)).filter((key) => expiryOf(key) === null && key.state !== "revoked");
      const { record, text } = issueAdminKey(
        {
          name: RECOVERY_NAME,
          right: everything,
          createdAt: ports.clock.now(),
          createdBy: caller.issuer.actor,
          expiresAt: null,
        },
        ports.peppers,
      );
      await ports.changes.change({
        operations: [{ op: "key.insert", key: record }, ...old.map(ending)],
        events: [
          eventOf(call, "admin.reset", SYSTEM_REALM, { key: record.id, revoked: old.map((key) => key.id) }),
          ...old.map((key) => revoked(call, key)),
        ],
      });
      return { id: record.id, key: text.reveal(), name: record.name, expiresAt: null };
    }),
};

async function everyAdminKey({ ports }: AnyCall): Promise<KeyRecord[]> {
  const all: KeyRecord[] = [];
  for await (const key of everyKey(ports, { environment: SYSTEM_REALM }, new LongWork())) all.push(key);
  return all;
}

function isWithin(call: AnyCall, key: KeyRecord): boolean {
  return key.admin !== null && excessAdminRight(call.caller.issuer.right, key.admin).length === 0;
}

function ending(key: KeyRecord): Operation {
  return { op: "key.state", environment: key.environment, id: key.id, state: "revoked", reason: "by_administrator" };
}

function revoked(call: AnyCall, key: KeyRecord, fields: LedgerEvent["fields"] = {}): LedgerEvent {
  return eventOf(call, "admin_key.revoked", SYSTEM_REALM, { key: key.id, name: key.name, ...fields });
}

/** Admin keys that were made with that one, with those, and so on, as far as they are not revoked. */
async function madeWith(call: AnyCall, id: string): Promise<KeyRecord[]> {
  const all = await everyAdminKey(call);
  const makers = new Set([`key:${id}`]);
  const made = new Set<KeyRecord>();
  for (let before = -1; before !== makers.size;) {
    before = makers.size;
    for (const key of all) {
      if (!makers.has(key.createdBy)) continue;
      makers.add(`key:${key.id}`);
      made.add(key);
    }
  }
  return [...made].filter(({ state, id: own }) => state !== "revoked" && own !== id);
}

type Scope = Exclude<Call<"adminKeys.create">["body"]["mayGrant"], "*" | undefined>;
const NO_SCOPE: Scope = { allow: [], models: [] };

function readAdminRight(call: Call<"adminKeys.create">): AdminRight {
  const { role, environments, mayGrant } = call.body;
  const known = call.ports.snapshot().environments;
  const grant = mayGrant === undefined || mayGrant === "*" ? NO_SCOPE : mayGrant;
  refuseMistakes([
    ...(environments === "*" ? [] : environments.filter((name) => !known.has(name))).map(
      (name) => `environments: ${noEnvironmentText(call, name)}`,
    ),
    ...unknownPermissions(grant.allow, "mayGrant.allow"),
    ...unknownSelectors(grant.models, "mayGrant.models"),
  ]);
  return {
    permissions: adminRoles[role] ?? [],
    environments,
    mayGrant:
      mayGrant === undefined
        ? null
        : mayGrant === "*"
          ? "*"
          : {
              allow: grant.allow.filter(isDataPermission),
              models: grant.models,
              ...(grant.limits ? { limits: buildLimits(grant.limits) } : {}),
              ...(grant.guard ? { guard: buildGuard(grant.guard) } : {}),
            },
  };
}

function lifetimeMs(call: Call<"adminKeys.create">, now: number): number {
  const { ttl } = call.body;
  if (ttl === undefined) {
    return call.caller.expiresAt === null ? KEY_AGE_MAX_MS : Math.min(KEY_AGE_MAX_MS, call.caller.expiresAt - now);
  }
  const askedMs = parseDurationMs(ttl) ?? 0;
  refuseMistakes(askedMs > 0 ? [] : ["ttl: is zero"]);
  if (askedMs > KEY_AGE_MAX_MS) {
    throw new Problem("lifetime_exceeds_maximum", `an admin key lives at most ${formatDurationMs(KEY_AGE_MAX_MS)}`);
  }
  return askedMs;
}

function issuedFields(record: KeyRecord, right: AdminRight): LedgerEvent["fields"] {
  const { mayGrant } = right;
  return {
    key: record.id,
    name: record.name,
    permissions: right.permissions,
    environments: right.environments,
    may_grant: mayGrant === "*" || mayGrant === null ? mayGrant : mayGrant.allow,
    may_grant_models: mayGrant === "*" || mayGrant === null ? mayGrant : mayGrant.models,
    expires_at: expiryOf(record),
  };
}
