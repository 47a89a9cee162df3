/** Issuing an API key: what is asked is read, bounded by the environment and by the issuer (R6), then made and recorded. */
import { randomInt } from "node:crypto";
import { Problem } from "@sallyport/protocol";
import { noEnvironmentText } from "../known-environment.ts";
import { formatDurationMs, parseDurationMs } from "@sallyport/contract";
import { excessLifetime } from "../../access/attenuation.ts";
import { buildLimits } from "../../access/limits-text.ts";
import { KEY_AGE_MAX_MS } from "../../access/policy.ts";
import { newPrincipal } from "../../access/new-principal.ts";
import type { Assignment, Principal, RightSpec } from "../../access/policy.ts";
import { resolvePrincipal } from "../../access/principal-name.ts";
import { readRight } from "../../access/written-right.ts";
import type { Operation } from "../../changes/change.ts";
import type { LedgerEvent } from "../../audit/event.ts";
import { randomBase62 } from "../../kernel/ids.ts";
import { issueKey } from "../../keys/issue.ts";
import { demandEnvironment, eventOf, refuseExcess, refuseMistakes } from "../call.ts";
import type { Call, Handler } from "../call.ts";
import { excessKey } from "../caller-scope.ts";
import { checkDelivery, makeDelivery } from "../deliver.ts";
import { isoTime } from "../views.ts";
import { networkMistakes } from "./key-factors.ts";
import { assignmentCreated, principalCreated } from "./recorded.ts";

type CreateCall = Call<"keys.create">;

export const createKey: Handler<"keys.create"> = (call) => {
  const { ports, caller, body } = call;
  demandEnvironment(call, body.environment);
  checkDelivery(body.deliver);
  const revocationsAtOrder = revocationsOf(call);
  return ports.changes.inTurn(async () => {
    const snapshot = ports.snapshot();
    const now = ports.clock.now();
    const environment = snapshot.environments.get(body.environment);
    const { right, mistakes } = readRight(body, snapshot.roles);
    const owner = body.owner === undefined ? undefined : resolvePrincipal(body.owner, snapshot.principals);
    refuseMistakes([
      ...(environment ? [] : [`environment: ${noEnvironmentText(call, body.environment)}`]),
      // A canary key may allow nothing.
      ...(allowsNothing(call) ? [] : mistakes),
      ...ownerMistakes(owner),
      ...networkMistakes(body.networks),
    ]);
    // A caller that loses the race against a revocation tries again, and meets the remaining permissions.
    if (revocationsOf(call) !== revocationsAtOrder) throw new Problem("owner_narrowed");
    const lifeMs = lifetimeMs(call, now, environment?.keyMaxAgeMs ?? KEY_AGE_MAX_MS);
    refuseExcess([
      ...excessKey(call, { environment: body.environment, ceiling: right, limits: buildLimits(body.limits) }),
      ...excessLifetime(caller.expiresAt, now + lifeMs),
    ]);

    const operations: Operation[] = [];
    const events: LedgerEvent[] = [];
    const ownerId = typeof owner === "object" ? owner.id : makeService(call, right, operations, events);
    const issued = issueKey(
      {
        environment: body.environment,
        name: body.name,
        owner: ownerId,
        ceiling: right,
        limits: buildLimits(body.limits),
        createdAt: now,
        createdBy: caller.issuer.actor,
        expiresAt: now + lifeMs,
        isDecoy: body.decoy,
        factors: {
          networks: body.networks ?? null,
          binding: body.binding ?? null,
          require: [...new Set(body.require)],
        },
      },
      ports.peppers,
    );
    operations.push({ op: "key.insert", key: issued.record });
    const event = eventOf(call, "key.issued", body.environment, {
      key: issued.record.id,
      name: body.name,
      owner: ownerId,
      roles: right.roles,
      allow: right.allow,
      models: right.models ?? [],
      networks: body.networks ?? ["anywhere"],
      require: body.require,
      expires_at: now + lifeMs,
      ...(body.decoy ? { decoy: true } : {}),
    });
    const handed = { environment: body.environment, keyId: issued.record.id, keyName: body.name, text: issued.text };
    const delivered = body.deliver && (await makeDelivery(call, body.deliver, { ...handed, purpose: "create" }));
    if (delivered) {
      operations.push(delivered.operation);
      events.push(delivered.event);
    }
    await ports.changes.change({ operations, events: [event, ...events] });
    return {
      id: issued.record.id,
      ...(delivered
        ? { ticket: delivered.ticket.reveal(), ticketExpiresAt: isoTime(delivered.expiresAt) }
        : { key: issued.text.reveal() }),
      environment: body.environment,
      expiresAt: isoTime(now + lifeMs),
      name: body.name,
      owner: ownerId,
    };
  });
};

function allowsNothing({ body }: CreateCall): boolean {
  const { decoy, roles, allow, models } = body;
  return decoy && roles.length === 0 && allow.length === 0 && (models ?? []).length === 0;
}

/** How often the owner was narrowed: no key is made in the epoch of its owner's revocation, however the two calls interleave. */
function revocationsOf({ ports, body }: CreateCall): number | undefined {
  if (body.owner === undefined) return undefined;
  const owner = resolvePrincipal(body.owner, ports.snapshot().principals);
  return typeof owner === "object" ? owner.revocations : undefined;
}

function ownerMistakes(owner: Principal | string | undefined): string[] {
  if (typeof owner === "string") return [`owner: ${owner}`];
  return owner?.isDisabled ? [`owner: ${owner.name} is disabled`] : [];
}

/**
 * The part of the longest lifetime by which default lifetimes differ: keys created on one day must not all expire on
 * one day.
 */
const SPREAD = 0.05;

/**
 * A request for too much is denied, never clamped. The default is about the maximum, within the remaining lifetime of
 * the issuer.
 */
function lifetimeMs(call: CreateCall, now: number, environmentMaxMs: number): number {
  const maxMs = Math.min(environmentMaxMs, KEY_AGE_MAX_MS);
  if (call.body.ttl === undefined) {
    const lifeMs = maxMs - randomInt(Math.max(1, Math.floor(maxMs * SPREAD)));
    return call.caller.expiresAt === null ? lifeMs : Math.min(lifeMs, call.caller.expiresAt - now);
  }
  const askedMs = parseDurationMs(call.body.ttl) ?? 0;
  refuseMistakes(askedMs > 0 ? [] : ["ttl: is zero"]);
  if (askedMs > maxMs) {
    throw new Problem(
      "lifetime_exceeds_maximum",
      `environment ${call.body.environment} allows at most ${formatDurationMs(maxMs)}`,
    );
  }
  return askedMs;
}

/**
 * Creates a service with exactly the key's grant, so that the key's scope and the owner's permissions start equal.
 * Returns its id.
 */
function makeService(call: CreateCall, right: RightSpec, operations: Operation[], events: LedgerEvent[]): string {
  const { clock } = call.ports;
  const principal = newPrincipal({ kind: "service", name: call.body.name, createdAt: clock.now() });
  if (allowsNothing(call)) {
    operations.push({ op: "principal.put", principal });
    events.push(principalCreated(call, principal));
    return principal.id;
  }
  const assignment: Assignment = {
    id: `a_${randomBase62(12)}`,
    subject: { principal: principal.id },
    environment: call.body.environment,
    right,
    source: "admin",
  };
  operations.push({ op: "principal.put", principal }, { op: "assignment.put", assignment });
  events.push(principalCreated(call, principal), assignmentCreated(call, assignment));
  return principal.id;
}
