/** Findings about what the gateway keeps and sends: damaged rows, sinks that are behind, incidents. */
import { SYSTEM_REALM } from "@sallyport/protocol";
import { findingOf } from "../access/posture/posture-finding.ts";
import type { PostureFinding } from "../access/posture/posture-finding.ts";
import type { AdminPorts, SinkStatus } from "./ports.ts";

type IsShown = (environment: string) => boolean;

export function gatewayFindings(ports: AdminPorts, isShown: IsShown): PostureFinding[] {
  const damaged = ports
    .damage()
    .filter(({ environment }) => isShown(environment))
    .map(({ environment, says }) =>
      findingOf("record_damaged", {
        state: "wrong",
        environment,
        subject: `record:${says.slice(0, SUBJECT_MAX)}`,
        says,
        evidence: [says],
        remedy: "create a key again; for everything else, restore a backup: sallyport restore",
      }),
    );
  const sinks = isShown(SYSTEM_REALM) ? ports.sinks() : [];
  return [...damaged, ...sinkFindings(sinks), ...incidentFindings(ports, isShown)];
}

const SUBJECT_MAX = 200;

/** Open incidents are reported until someone closes them. */
function incidentFindings({ incidents }: Pick<AdminPorts, "incidents">, isShown: IsShown): PostureFinding[] {
  const open = incidents
    .list()
    .filter(({ environment, closed }) => closed === null && isShown(environment))
    .map(({ id, environment, key, openedAt }) =>
      findingOf("incident_open", {
        environment,
        subject: `incident:${id}`,
        says: `incident ${id} of key ${key} is open since ${isoText(openedAt)}`,
        evidence: [`opened at ${isoText(openedAt)}`],
        remedy: `read its report (sallyport incident report ${id}), then sallyport incident close ${id}`,
        since: openedAt,
      }),
    );
  if (!isShown(SYSTEM_REALM)) return open;
  const damaged = incidents.damaged().map((id) =>
    findingOf("incident_damaged", {
      state: "wrong",
      environment: SYSTEM_REALM,
      subject: `incident:${id}`,
      says: `incident ${id} cannot be read`,
      remedy: "restore its incident.json from a backup, or read its audit records and remove the folder",
    }),
  );
  return [...open, ...damaged];
}

/** Longer than a receiver needs to restart. */
const LAG_SECONDS_MAX = 300;

function sinkFindings(sinks: readonly SinkStatus[]): PostureFinding[] {
  return sinks
    .filter(({ lagSeconds, deadLettered }) => lagSeconds > LAG_SECONDS_MAX || deadLettered > 0)
    .map(({ name, lagRecords, lagSeconds, deadLettered, trouble }) =>
      findingOf("sink_behind", {
        state: "wrong",
        environment: SYSTEM_REALM,
        subject: `sink:${name}`,
        says:
          lagSeconds > LAG_SECONDS_MAX
            ? `the sink ${name} is ${lagRecords} records and ${Math.round(lagSeconds)} s behind: ${trouble ?? "it is catching up"}`
            : `the sink ${name} rejected ${deadLettered} records for good`,
        evidence: [`${lagRecords} records behind`, `${deadLettered} records rejected for good`],
        remedy: "check that its receiver responds; rejected records are in sinks/ in the data directory",
      }),
    );
}

function isoText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
