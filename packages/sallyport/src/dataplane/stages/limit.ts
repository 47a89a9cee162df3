/** The fourth door: the key's request rate, and whether it may reach this endpoint at all. Nobody uploads a body he may not send. */
import { refuse } from "@sallyport/protocol";
import { isHeldAnywhere } from "../../access/decide.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { KeyLimits } from "../../limits/key-limits.ts";
import type { Stage } from "../pipeline.ts";
import { refuseRate } from "../rate-headers.ts";

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
    // Nobody sends a body whose signature would have to be refused as missing.
    if (!exchange.hasSignature && right.doors.some(({ require }) => require.includes("signature")))
      return { ...refuse("signature_missing"), factor: "signature" };
    const { anyOf, served } = exchange.endpoint!;
    // Opened by a log-in, which the stage that answers asks for.
    if (served === "person") return undefined;
    for (const permission of anyOf) if (isHeldAnywhere(right, permission)) return undefined;
    return refuse("permission_denied", anyOf.join(" or "));
  };
}
