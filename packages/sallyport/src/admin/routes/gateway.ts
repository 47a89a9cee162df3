/** The gateway's state and its ledger. Records of an environment are for those who administer it, `system`'s for those who administer all. */
import { openApiDocument } from "@sallyport/protocol/contract";
import { administers } from "../../access/attenuation.ts";
import type { AuditFilter, AuditRecord } from "../../audit/audit-log.ts";
import { demandEnvironment } from "../call.ts";
import type { Call, Handlers } from "../call.ts";
import { isoTime } from "../views.ts";
import { openIncidents } from "./incidents.ts";

const LIMIT_DEFAULT = 100;

/** Made when first asked for and kept: it takes milliseconds, and this thread has requests to serve. */
let described: Readonly<Record<string, unknown>> | undefined;

export const gatewayHandlers: Handlers<"status" | "openapi" | "audit.search" | "audit.verify"> = {
  status: ({ ports, caller }) => {
    const status = ports.status();
    return {
      ...status,
      startedAt: isoTime(status.startedAt),
      openIncidents: openIncidents(ports, caller).length,
      environments: status.environments.filter((name) => administers(caller.issuer.right, name)),
    };
  },

  openapi: ({ ports }) => (described ??= openApiDocument(ports.status().version)),

  "audit.search": async (call) => ({
    records: (await search(call)).map((record) => ({ ...record, at: isoTime(record.at) })),
  }),

  "audit.verify": async ({ ports }) => {
    const verdict = await ports.audit.verify();
    const unvouched = verdict.unvouched.map((one) => ({ ...one, from: isoTime(one.from), to: isoTime(one.to) }));
    return { ...verdict, unvouched, cannotShow: [...verdict.cannotShow] };
  },
};

async function search(call: Call<"audit.search">): Promise<AuditRecord[]> {
  const { environment, limit = LIMIT_DEFAULT, order = "newest", ...rest } = call.query;
  const filter = { ...present(rest), limit, order };
  const { audit } = call.ports;
  const { environments } = call.caller.issuer.right;
  if (environment !== undefined) {
    demandEnvironment(call, environment);
    return [...(await audit.search({ ...filter, environment }))];
  }
  if (environments === "*") return [...(await audit.search(filter))];
  const sign = order === "newest" ? -1 : 1;
  const found = await Promise.all(environments.map((name) => audit.search({ ...filter, environment: name })));
  return found
    .flat()
    .sort((a, b) => sign * (a.seq - b.seq))
    .slice(0, limit);
}

/** Without the members that are undefined: a filter has them or has them not. */
function present(
  query: Omit<Call<"audit.search">["query"], "environment" | "limit" | "order">,
): Omit<AuditFilter, "limit" | "order"> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
}
