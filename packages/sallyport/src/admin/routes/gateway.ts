/** The gateway's state, and the verification of its audit log. */
import { openApiDocument } from "@sallyport/contract";
import { administers } from "../../access/attenuation.ts";
import type { Handlers } from "../call.ts";
import { isoTime } from "../views.ts";
import { openIncidents } from "./incidents.ts";

/** Made when first asked for and kept: it takes milliseconds, and this thread has requests to serve. */
let described: Readonly<Record<string, unknown>> | undefined;

export const gatewayHandlers: Handlers<"status" | "openapi" | "audit.verify"> = {
  status: ({ ports, caller }) => {
    const status = ports.status();
    return {
      ...status,
      startedAt: isoTime(status.startedAt),
      openIncidents: openIncidents(ports, caller).length,
      environments: status.environments.filter((name) => administers(caller.issuer.right, name)),
      sinks: ports.sinks().map((sink) => ({ ...sink, lagSeconds: Math.round(sink.lagSeconds) })),
    };
  },

  openapi: ({ ports }) => (described ??= openApiDocument(ports.status().version)),

  "audit.verify": async ({ ports }) => {
    const verdict = await ports.audit.verify();
    const unvouched = verdict.unvouched.map((one) => ({ ...one, from: isoTime(one.from), to: isoTime(one.to) }));
    return { ...verdict, unvouched, cannotShow: [...verdict.cannotShow] };
  },
};
