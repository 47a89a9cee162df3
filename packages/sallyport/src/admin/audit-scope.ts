/** Which audit records a caller may see, and a filter as it was requested. */
import type { EnvironmentName } from "@sallyport/protocol";
import type { AskedFilter, AuditScope } from "./audit-reads.ts";
import { demandEnvironment } from "./call.ts";
import type { AnyCall } from "./call.ts";
import { knownEnvironment } from "./known-environment.ts";

/**
 * Rejects with `permission_denied` for an environment that the caller does not administer, with `unknown_environment`
 * for one that does not exist.
 */
export async function auditScope(call: AnyCall, asked: string | undefined): Promise<AuditScope> {
  return scopeOf(call, asked === undefined ? undefined : await knownEnvironment(call, asked));
}

/** The same again for an environment that is known: the caller's right may have changed since. */
export function scopeOf(call: AnyCall, environment: EnvironmentName | undefined): AuditScope {
  if (environment !== undefined) {
    demandEnvironment(call, environment);
    return { environment };
  }
  const { environments } = call.caller.issuer.right;
  return environments === "*" ? {} : { environments };
}

/** Without the members that are undefined: a filter has them or has them not. */
export function presentFilter(query: {
  readonly [N in keyof AskedFilter]: AskedFilter[N] | undefined;
}): AskedFilter {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
}
