/** Which records of the ledger a caller may see, and a filter as it was asked for. */
import type { AuditFilter } from "../audit/audit-log.ts";
import { demandEnvironment } from "./call.ts";
import type { AnyCall } from "./call.ts";

export type AuditScope = Pick<AuditFilter, "environment" | "environments">;
export type AskedFilter = Omit<AuditFilter, keyof AuditScope | "types" | "limit" | "order">;

/** Refuses with `permission_denied` where an environment is named that is not the caller's. */
export function auditScope(call: AnyCall, environment: string | undefined): AuditScope {
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
