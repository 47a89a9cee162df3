/**
 * The fourth check: the key's request rate, whether it may reach this endpoint at all, and a slot of the key. No caller
 * uploads a body that it may not send, and a key that may run one request at a time may also send one at a time.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { isHeldAnywhere } from "../../access/decide.ts";
import type { EffectiveRight } from "../../access/snapshot.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { KeyRecord } from "../../keys/key.ts";
import type { KeyLimits } from "../../limits/key-limits.ts";
import type { Stage } from "../pipeline.ts";
import { refuseRate } from "../rate-headers.ts";
import type { Endpoint } from "../wire/endpoint.ts";

export interface LimitPorts {
  readonly clock: Clock;
  readonly limits: KeyLimits;
}

export function makeLimit({ clock, limits }: LimitPorts): Stage {
  return function limit(exchange) {
    const key = exchange.key!;
    const right = exchange.right!;
    if (right.limits.length > 0) {
      const rate = limits.takeRequest(`${key.environment}/${key.id}`, right.limits, clock.monotonic());
      exchange.rate = rate ?? null;
      const tooMany = refuseRate(rate);
      if (tooMany) return tooMany;
    }
    return refuseEndpoint(exchange.endpoint!, key, right);
  };
}

export function makeSlot(limits: KeyLimits): Stage {
  return function slot(exchange) {
    const key = exchange.key!;
    exchange.heldPlaces = limits.takePlaces(`${key.environment}/${key.id}`, exchange.right!.limits);
    return exchange.heldPlaces === null ? refuse("concurrency_exceeded").with({ retryAfterSeconds: 1 }) : undefined;
  };
}

/** Whether the key may reach the endpoint at all, whatever it would ask there. */
export function refuseEndpoint(
  { anyOf, way }: Pick<Endpoint, "anyOf" | "way">,
  { session }: KeyRecord,
  right: EffectiveRight,
): Refusal | undefined {
  if (way === "person") return session === null ? refuse("session_missing") : undefined;
  // Requesting or revoking a token needs no separate permission; no other row is without one (`checkTable`).
  if (anyOf.length === 0 && (way === "oauth" || way === "revoke")) return undefined;
  for (const permission of anyOf) if (isHeldAnywhere(right, permission)) return undefined;
  return refuse("permission_denied", anyOf.join(" or "));
}
