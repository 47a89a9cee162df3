/** Rotation and the inactivity policy, on an administrator's request. `keys/` decides what is done. */
import { Problem } from "@sallyport/protocol";
import { parseDurationMs } from "@sallyport/contract";
import { administers } from "../../access/attenuation.ts";
import { Secret } from "../../kernel/secret.ts";
import { addressField, demandEnvironment } from "../call.ts";
import type { Handler } from "../call.ts";
import { checkDelivery, makeDelivery } from "../deliver.ts";
import { findKey } from "../find-key.ts";
import { refuseSession } from "../gated-ports.ts";
import { isoTime, viewKey } from "../views.ts";

/** Who gets the new secret can do what the key can: the ports ask whether that is the issuer's to give (R6). */
export const rotateKey: Handler<"keys.rotate"> = async (call) => {
  const { ports, caller, body, params } = call;
  const key = findKey(call, params.id);
  refuseSession(key);
  const graceMs = body.grace === undefined ? undefined : parseDurationMs(body.grace);
  checkDelivery(body.deliver);
  if (body.deliver && body.idempotencyKey !== undefined)
    throw new Problem("input_invalid", undefined, ["idempotencyKey: not needed with a delivery link"]);
  const rotated = await ports.lifecycle.rotate({
    environment: key.environment,
    id: key.id,
    actor: caller.issuer.actor,
    fields: addressField(caller),
    issuerExpiresAt: caller.expiresAt,
    restart: body.restart,
    ...(graceMs === undefined ? {} : { graceMs }),
    ...(body.idempotencyKey === undefined ? {} : { idempotencyKey: new Secret(body.idempotencyKey) }),
  });
  const handed = { environment: key.environment, keyId: key.id, keyName: key.name, text: rotated.text };
  const delivered = body.deliver && (await makeDelivery(call, body.deliver, { ...handed, purpose: "rotate" }));
  if (delivered) {
    const { operation, event } = delivered;
    await ports.changes.inTurn(() => ports.changes.change({ operations: [operation], events: [event] }));
  }
  return {
    id: rotated.id,
    ...(delivered
      ? { ticket: delivered.ticket.reveal(), ticketExpiresAt: isoTime(delivered.expiresAt) }
      : { key: rotated.text.reveal() }),
    environment: key.environment,
    expiresAt: isoTime(rotated.expiresAt),
    overlapEndsAt: isoTime(rotated.overlapEndsAt),
  };
};

export const finishRotation: Handler<"keys.finish"> = async (call) => {
  const { environment, id } = findKey(call, call.params.id);
  const { issuer } = call.caller;
  const order = { environment, id, actor: issuer.actor, fields: addressField(call.caller) };
  const key = await call.ports.lifecycle.finish(order);
  return viewKey(key, call.ports.clock.now());
};

/**
 * A run ends keys everywhere, so it requires a full administrator; a dry run shows the keys that the caller
 * administers.
 */
export const sweepKeys: Handler<"keys.sweep"> = async (call) => {
  const { ports, caller, body } = call;
  if (!body.dryRun) for (const name of ports.snapshot().environments.keys()) demandEnvironment(call, name);
  const findings = await ports.lifecycle.sweep({ isDryRun: body.dryRun });
  return {
    findings: findings
      .filter(({ environment }) => administers(caller.issuer.right, environment))
      .map(({ keyId, environment, code, action, dueAt }) => ({
        keyId,
        environment,
        code,
        action,
        dueAt: isoTime(dueAt),
      })),
  };
};
