/**
 * A caller's text as the name of an environment, for filters and for what a caller says an event is about. Text that
 * names no environment is rejected: recorded, it would become the name of a log.
 */
import { didYouMean, isEnvironmentName, Problem, SYSTEM_REALM } from "@sallyport/protocol";
import type { EnvironmentName } from "@sallyport/protocol";
import { administers } from "../access/attenuation.ts";
import { demandEnvironment } from "./call.ts";
import type { AnyCall } from "./call.ts";

const SHOWN_MAX = 64;

/**
 * Environments of the policy, the reserved realm, and removed environments whose log is kept. Throws `permission_denied`
 * where the caller does not administer it, `unknown_environment` where it does not exist.
 */
export async function knownEnvironment(call: AnyCall, text: string): Promise<EnvironmentName> {
  demandEnvironment(call, text);
  const { snapshot, audit } = call.ports;
  if (isEnvironmentName(text)) {
    if (text === SYSTEM_REALM || snapshot().environments.has(text)) return text;
    if ((await audit.logs()).some(({ environment }) => environment === text)) return text;
  }
  throw unknownEnvironment(call, text, [...snapshot().environments.keys(), SYSTEM_REALM]);
}

/** `unknown_environment`, with those of `known` that the caller administers. */
export function unknownEnvironment({ caller }: AnyCall, text: string, known: Iterable<string>): Problem {
  const names = [...known].filter((name) => administers(caller.issuer.right, name));
  const more = names.length > SHOWN_MAX ? ` and ${names.length - SHOWN_MAX} more` : "";
  const shown = names.length === 0 ? "none" : names.slice(0, SHOWN_MAX).join(", ") + more;
  return new Problem(
    "unknown_environment",
    `there is no environment ${text}; known: ${shown}${didYouMean(text, names)}`,
  );
}

/** As a mistake among others of one request. */
export function noEnvironmentText(call: AnyCall, text: string): string {
  const names = [...call.ports.snapshot().environments.keys()].filter((name) =>
    administers(call.caller.issuer.right, name),
  );
  return `there is no environment ${JSON.stringify(text)} (\`sallyport envs list\` names them)${didYouMean(text, names)}`;
}
