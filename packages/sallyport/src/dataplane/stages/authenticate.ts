/**
 * The third check: one credential, a genuine key or a token of one, in a state and an environment that may be served
 * here.
 */
import { isRefusal } from "@sallyport/protocol";
import type { Clock } from "../../kernel/clock.ts";
import type { Admission } from "../admission.ts";
import type { Identify } from "../identify.ts";
import type { Stage } from "../pipeline.ts";

export interface AuthenticatePorts {
  readonly clock: Clock;
  readonly identify: Identify;
  readonly admission: Admission;
}

export function makeAuthenticate({ clock, identify, admission }: AuthenticatePorts): Stage {
  return function authenticate(exchange) {
    const proven = identify(exchange, clock.now());
    if (proven instanceof Promise) return proven.then((said) => (isRefusal(said) ? said : admission(exchange, said)));
    return isRefusal(proven) ? proven : admission(exchange, proven);
  };
}
