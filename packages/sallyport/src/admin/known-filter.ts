/**
 * What a list or a search may be filtered by: a value that names nothing is a mistake, told with what is known, and never
 * an empty answer. An empty answer would read as "there is none".
 */
import { nearest, Problem } from "@sallyport/protocol";
import { eventTypes } from "../audit/event.ts";
import { resolvePrincipal } from "../access/principal-name.ts";
import { demandEnvironment } from "./call.ts";
import type { AnyCall } from "./call.ts";
import { administers } from "../access/attenuation.ts";

/** Refuses an environment that is not the caller's (`permission_denied`) or not there (`not_found`). */
export function demandKnownEnvironment(call: AnyCall, environment: string): void {
  demandEnvironment(call, environment);
  const known = [...call.ports.snapshot().environments.keys()];
  if (known.includes(environment)) return;
  const shown = known.filter((name) => administers(call.caller.issuer.right, name)).join(", ");
  throw new Problem("not_found", `there is no environment ${environment}; known: ${shown || "none"}`);
}

/** The id of the principal of that id or unique name. */
export function knownPrincipal(call: AnyCall, who: string): string {
  const principal = resolvePrincipal(who, call.ports.snapshot().principals);
  if (typeof principal === "string") throw new Problem("not_found", principal);
  return principal.id;
}

export function demandKnownEventType(type: string | undefined): void {
  if (type === undefined || Object.hasOwn(eventTypes, type)) return;
  const near = nearest(type, Object.keys(eventTypes));
  throw new Problem("input_invalid", undefined, [
    `type: ${JSON.stringify(type)} is no event type${near === undefined ? " (`sallyport audit search --help` names some)" : `; nearest: ${near}`}`,
  ]);
}
