/**
 * Searches the audit log, and proves single records of it. Records of an environment are visible to its administrators,
 * those of `system` to full administrators.
 */
import { Problem } from "@sallyport/protocol";
import { auditScope, presentFilter } from "../audit-scope.ts";
import type { AskedFilter, AuditScope } from "../audit-reads.ts";
import type { AnyCall, Handlers } from "../call.ts";
import { demandKnownEventType, demandKnownSubjects } from "../known-filter.ts";
import { isoTime } from "../views.ts";

const LIMIT_DEFAULT = 100;

export const auditHandlers: Handlers<"audit.search" | "audit.proof"> = {
  "audit.search": async (call) => {
    const { environment, limit = LIMIT_DEFAULT, order = "newest", ...rest } = call.query;
    demandKnownEventType(rest.type);
    const asked = presentFilter(rest);
    const scope = await auditScope(call, environment);
    const records = await call.ports.audit.search({ ...asked, ...scope, limit, order });
    await noteRead(call, asked, scope, records.length);
    if (records.length === 0 && rest.before === undefined && rest.after === undefined) demandKnownSubjects(call, rest);
    return {
      records: records.map((record) => ({ ...record, at: isoTime(record.at) })),
      next: records.length < limit ? null : (records.at(-1)?.seq ?? null),
    };
  },

  "audit.proof": async (call) => {
    const { seq } = call.params;
    const scope = await auditScope(call, undefined);
    const asked = { after: seq - 1, before: seq + 1 };
    // A record of another environment is answered like one that does not exist.
    const [record] = await call.ports.audit.search({ ...asked, ...scope, limit: 1, order: "oldest" });
    const proof = record ? await call.ports.audit.prove(seq) : null;
    await noteRead(call, asked, scope, proof === null ? 0 : 1);
    if (proof === null)
      throw new Problem(
        "not_found",
        record ? "no checkpoint covers this record yet: ask again in a second" : "no record has this number",
      );
    return { proof };
  },
};

function noteRead({ ports, caller }: AnyCall, asked: AskedFilter, scope: AuditScope, count: number): Promise<void> {
  return ports.reads.note({ actor: caller.issuer.actor, address: caller.address, how: "search", asked, scope, count });
}
