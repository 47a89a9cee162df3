/**
 * Searches the audit log. Records of an environment are visible to its administrators, those of `system` to full
 * administrators.
 */
import { auditScope, presentFilter } from "../audit-scope.ts";
import type { Handlers } from "../call.ts";
import { demandKnownEventType, demandKnownSubjects } from "../known-filter.ts";
import { isoTime } from "../views.ts";

const LIMIT_DEFAULT = 100;

export const auditHandlers: Handlers<"audit.search"> = {
  "audit.search": async (call) => {
    const { environment, limit = LIMIT_DEFAULT, order = "newest", ...rest } = call.query;
    demandKnownEventType(rest.type);
    const asked = presentFilter(rest);
    const scope = await auditScope(call, environment);
    const records = await call.ports.audit.search({ ...asked, ...scope, limit, order });
    await call.ports.reads.note({
      actor: call.caller.issuer.actor,
      address: call.caller.address,
      how: "search",
      asked,
      scope,
      count: records.length,
    });
    if (records.length === 0 && rest.before === undefined && rest.after === undefined) demandKnownSubjects(call, rest);
    return {
      records: records.map((record) => ({ ...record, at: isoTime(record.at) })),
      next: records.length < limit ? null : (records.at(-1)?.seq ?? null),
    };
  },
};
