/**
 * What a list or a search may be filtered by: an unknown value is a mistake, reported with the known ones, and never an
 * empty response. An empty response would read as "there is no such record".
 */
import { didYouMean, isProblemCode, Problem, problems, SYSTEM_REALM } from "@sallyport/protocol";
import { eventTypes } from "../audit/event.ts";
import { resolvePrincipal } from "../access/principal-name.ts";
import { administers } from "../access/attenuation.ts";
import type { Environment } from "../access/policy.ts";
import { demandEnvironment } from "./call.ts";
import type { AnyCall } from "./call.ts";
import { unknownEnvironment } from "./known-environment.ts";

/** Denies an environment that is not the caller's (`permission_denied`) or does not exist (`unknown_environment`). */
export function demandKnownEnvironment(call: AnyCall, name: string): Environment {
  demandEnvironment(call, name);
  const { environments } = call.ports.snapshot();
  const environment = environments.get(name);
  if (!environment) throw unknownEnvironment(call, name, environments.keys());
  return environment;
}

/** The id of the principal of that id or unique name. */
export function knownPrincipal(call: AnyCall, who: string): string {
  const principal = resolvePrincipal(who, call.ports.snapshot().principals);
  if (typeof principal === "string") throw new Problem("not_found", principal);
  return principal.id;
}

export function demandKnownEventType(type: string | undefined): void {
  if (type === undefined || Object.hasOwn(eventTypes, type)) return;
  const hint = didYouMean(type, Object.keys(eventTypes)) || " (`sallyport audit search --help` names some)";
  throw new Problem("input_invalid", undefined, [`type: ${JSON.stringify(type)} is no event type${hint}`]);
}

interface AskedSubjects {
  readonly key?: string | undefined;
  readonly principal?: string | undefined;
  readonly code?: string | undefined;
}

/** For a search that found nothing: whether what it asked about exists at all. A record may outlive its key, so it is asked last. */
export function demandKnownSubjects(call: AnyCall, { key, principal, code }: AskedSubjects): void {
  if (code !== undefined && !isProblemCode(code)) {
    const hint = didYouMean(code, Object.keys(problems));
    throw new Problem("input_invalid", undefined, [`code: ${JSON.stringify(code)} is no problem code${hint}`]);
  }
  const { snapshot, keys } = call.ports;
  const isKey = (id: string): boolean =>
    [SYSTEM_REALM, ...snapshot().environments.keys()].some(
      (environment) =>
        administers(call.caller.issuer.right, environment) &&
        (keys.find(environment, id) !== undefined || keys.isDamaged(environment, id)),
    );
  if (key !== undefined && !isKey(key)) throw new Problem("not_found", `there is no key ${JSON.stringify(key)}`);
  if (principal !== undefined && !snapshot().principals.has(principal)) knownPrincipal(call, principal);
}
