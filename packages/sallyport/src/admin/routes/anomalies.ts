/**
 * Alerts about keys, from the audit log, with the present response. Callers see the environments that they administer.
 */
import type { AlertView } from "@sallyport/contract";
import { administers } from "../../access/attenuation.ts";
import type { AuditRecord } from "../../audit/audit-log.ts";
import type { Restriction } from "../../keys/restriction.ts";
import { addressField } from "../call.ts";
import type { Handlers } from "../call.ts";
import { knownEnvironment } from "../known-environment.ts";
import type { AdminPorts } from "../ports.ts";
import { isoTime } from "../views.ts";

const LIMIT_DEFAULT = 50;
/** More are looked at than are shown: some are of environments that are not the caller's. */
const LOOKED_AT = 1_000;

export const anomalyHandlers: Handlers<"anomalies.list" | "anomalies.answer"> = {
  "anomalies.list": async ({ ports, caller, query }) => {
    const since = query.since === undefined ? {} : { since: query.since };
    const found = await ports.audit.search({ type: "anomaly.detected", limit: LOOKED_AT, order: "newest", ...since });
    const answered = await answeredAlerts(ports, since);
    const active = new Map(ports.restrictions().map((one) => [one.id, one]));
    const alerts = found
      .filter(({ environment }) => administers(caller.issuer.right, environment))
      .slice(0, query.limit ?? LIMIT_DEFAULT)
      .map((record) => viewAlert(record, active, answered));
    return { alerts };
  },

  "anomalies.answer": async (call) => {
    const { alert, verdict } = call.body;
    // `<environment>/<key>/<kind>/<at>`: said by the alert itself, and here by the caller.
    await knownEnvironment(call, alert.split("/", 1)[0] ?? "");
    return {
      alert,
      verdict,
      wasOpen: await call.ports.answerAlert({
        alert,
        verdict,
        actor: call.caller.issuer.actor,
        from: addressField(call.caller),
      }),
    };
  },
};

/** Ids of alerts that someone has answered; what only ended with its time is not. */
async function answeredAlerts(
  { audit }: Pick<AdminPorts, "audit">,
  since: { readonly since?: number },
): Promise<ReadonlySet<string>> {
  const types = ["anomaly.answered", "anomaly.response_ended"];
  const found = await audit.search({ types, limit: LOOKED_AT, order: "newest", ...since });
  return new Set(
    found.filter(({ fields }) => fields["reason"] !== "over").map(({ fields }) => String(fields["alert"])),
  );
}

function viewAlert(
  { at, environment, fields }: AuditRecord,
  active: ReadonlyMap<string, Restriction>,
  answered: ReadonlySet<string>,
): AlertView {
  const alert = String(fields["alert"]);
  const until = active.get(alert)?.until;
  return {
    alert,
    at: isoTime(at),
    environment,
    key: String(fields["key"]),
    principal: typeof fields["principal"] === "string" ? fields["principal"] : null,
    kind: String(fields["kind"]),
    says: String(fields["says"]),
    isFact: fields["is_fact"] === true,
    signals: Number(fields["signals"]),
    factors: [...((fields["factors"] ?? []) as readonly string[])],
    requests: [...((fields["requests"] ?? []) as readonly string[])],
    action: String(fields["action"]),
    held: typeof fields["held"] === "string" ? fields["held"] : null,
    isAnswered: answered.has(alert),
    activeUntil: until === undefined ? null : isoTime(until),
  };
}
