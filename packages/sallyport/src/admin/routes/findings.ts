/** Findings: mistakes in a valid policy, and damaged rows of the store. */
import { administers } from "../../access/attenuation.ts";
import { policyFindings } from "../../access/policy-findings.ts";
import { LongWork } from "../../kernel/long-work.ts";
import type { AnyCall, Handlers } from "../call.ts";
import { everyKey } from "../each-key.ts";
import { peopleFindings } from "../people-findings.ts";
import type { SinkStatus } from "../ports.ts";
import { isoTime } from "../views.ts";
import { openIncidents } from "./incidents.ts";

export const findingHandlers: Handlers<"findings"> = {
  findings: async (call) => {
    const { ports } = call;
    const isShown = (environment: string): boolean => administers(call.caller.issuer.right, environment);
    const work = new LongWork();
    const survey = await ports.permissionUses();
    const snapshot = ports.snapshot();
    // The walk over all keys also meets what is damaged and was not read yet.
    const keys = everyKey(ports, {}, work);
    const policy = await policyFindings({ snapshot, keys, survey, isShown }, work);
    const people = await peopleFindings(call, snapshot, work);
    const rows = ports.damage().filter(({ environment }) => isShown(environment));
    const damaged = rows.map(({ environment, says }) => ({
      code: "record_damaged" as const,
      state: "wrong" as const,
      environment,
      says,
      remedy: "create a key again; for everything else, restore a backup: sallyport restore",
    }));
    const sinks = isShown("system") ? ports.sinks() : [];
    return {
      findings: [...policy, ...damaged, ...sinkFindings(sinks), ...incidentFindings(call), ...people],
      usesKnown: { from: isoTime(survey.from), to: isoTime(survey.to) },
    };
  },
};

/** Open incidents are reported until someone closes them. */
function incidentFindings({ ports, caller }: AnyCall) {
  const open = openIncidents(ports, caller).map(({ id, environment, key, openedAt }) => ({
    code: "incident_open" as const,
    state: "note" as const,
    environment,
    says: `incident ${id} of key ${key} is open since ${isoTime(openedAt)}`,
    remedy: `read its report (sallyport incident report ${id}), then sallyport incident close ${id}`,
  }));
  if (caller.issuer.right.environments !== "*") return open;
  const damaged = ports.incidents.damaged().map((id) => ({
    code: "incident_damaged" as const,
    state: "wrong" as const,
    environment: "system",
    says: `incident ${id} cannot be read`,
    remedy: "restore its incident.json from a backup, or read its audit records and remove the folder",
  }));
  return [...open, ...damaged];
}

/** Longer than a receiver needs to restart. */
const LAG_SECONDS_MAX = 300;

function sinkFindings(sinks: readonly SinkStatus[]) {
  return sinks
    .filter(({ lagSeconds, deadLettered }) => lagSeconds > LAG_SECONDS_MAX || deadLettered > 0)
    .map(({ name, lagRecords, lagSeconds, deadLettered, trouble }) => ({
      code: "sink_behind" as const,
      state: "wrong" as const,
      environment: "system",
      says:
        lagSeconds > LAG_SECONDS_MAX
          ? `the sink ${name} is ${lagRecords} records and ${Math.round(lagSeconds)} s behind: ${trouble ?? "it is catching up"}`
          : `the sink ${name} rejected ${deadLettered} records for good`,
      remedy: "check that its receiver responds; rejected records are in sinks/ in the data directory",
    }));
}
