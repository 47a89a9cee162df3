/** Joins an incident, its radius, and what was frozen and proved, into a report. */
import type { IncidentView, RadiusView } from "@sallyport/contract";
import { remediesFor } from "./remedies.ts";
import { minute } from "./report.ts";
import type { FrozenEvidence, ReportProof, Report } from "./report.ts";
import { sectionsOf } from "./sections.ts";
import { summarize } from "./summary.ts";

export interface ReportParts {
  readonly incident: IncidentView;
  readonly radius: RadiusView;
  readonly proofs: readonly ReportProof[];
  readonly evidence: FrozenEvidence;
}

export function makeReport({ incident, radius, proofs, evidence }: ReportParts): Report {
  const { id, keyId, environment, state, openedAt, openedBy } = incident;
  const { key, owner, from, to, knownFrom, records } = radius;
  return {
    title: `Incident ${id}`,
    summary: summarize(incident, radius),
    facts: [
      ["state", state],
      ["key", `${keyId} (${key.name})`],
      ["environment", environment],
      ["owner", owner ? `${owner.name} (${owner.kind} ${owner.id})` : "none"],
      ["key state", key.reason === null ? key.state : `${key.state} (${key.reason})`],
      ["issued", `${minute(key.createdAt)} by ${key.createdBy}`],
      ["permissions", [...key.roles.map((role) => `role ${role}`), ...key.allow].join(", ") || "nothing"],
      ["models", key.models.join(", ") || "none"],
      ["networks", key.networks === null ? "anywhere" : key.networks.join(", ")],
      ["opened", `${minute(openedAt)} by ${openedBy}`],
      ["period", `${minute(from)} to ${minute(to)}`],
      ["records read", `${records} records${knownFrom === null ? "" : `, the oldest of ${minute(knownFrom)}`}`],
    ],
    timeline: radius.timeline,
    from,
    to,
    sections: sectionsOf(radius, proofs, evidence),
    remedies: remediesFor(incident, radius),
  };
}
