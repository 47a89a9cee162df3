/** A line of a review with its evidence, for a person: as it was frozen, and what has changed since. */
import type { FullLineView } from "@sallyport/contract";
import { facts, listText, timeText } from "../terminal/print.ts";
import { relativeTime } from "../terminal/relative-time.ts";
import { indented, warning } from "../terminal/styled-line.ts";
import type { Line } from "../terminal/styled-line.ts";

type Moment = FullLineView["frozen"];

export function describeLine(review: string, line: FullLineView): Line[] {
  const { frozen, now, narrowed, decision, outcome } = line;
  const differences = now ? differing(frozen, now) : [];
  return [
    ...facts({ line: line.line, subject: line.subject, name: line.name, owner: line.owner }),
    ...facts({ risks: listText(line.risks), flags: listText(line.flags), ...factsOf(frozen) }),
    ...frozen.evidence.opens.map((one) => indented(one)),
    ...(now === null ? [[warning("it was revoked or removed since the freeze")] as Line] : []),
    ...differences.map((one): Line => [warning(`changed since the freeze: ${one}`)]),
    ...(narrowed === null ? [] : [`narrow leaves ${narrowed}`]),
    ...(decision ? [`${decision.by} decided ${decision.decision}: ${decision.reason}`] : []),
    ...(outcome ? [`outcome: ${outcome.what}; ${outcome.says}`] : []),
    ...(line.status === "open"
      ? [`decide: sallyport review decide ${review} ${line.line} keep|revoke|narrow --reason TEXT`]
      : []),
  ];
}

function factsOf({ entry, evidence }: Moment) {
  return {
    state: entry.state,
    issuer: entry.issuer ?? "not known",
    "owner's state": evidence.owner,
    roles: listText(entry.roles),
    allow: listText(entry.allow),
    models: entry.models === null ? "those of its roles" : listText(entry.models),
    permissions: entry.permissions.length > 0 ? listText(entry.permissions) : undefined,
    environments: entry.environments.length > 0 ? listText(entry.environments) : undefined,
    conditions: listText(entry.conditions),
    created: timeText(evidence.created),
    expires: timeText(evidence.expires),
    rotated: timeText(evidence.rotated),
    "last used": evidence.lastUsed === null ? "never" : relativeTime(evidence.lastUsed),
    "requests in 90 days": evidence.requests ?? "not counted",
    "alerts in 90 days": evidence.anomalies,
  };
}

function differing(frozen: Moment, now: Moment): string[] {
  const before = { ...frozen.entry, ...frozen.evidence };
  const after: Readonly<Record<string, unknown>> = { ...now.entry, ...now.evidence };
  return Object.entries(before).flatMap(([member, value]) => {
    const [was, is] = [textOf(value), textOf(after[member])];
    return was === is ? [] : [`${member} was ${was}, is ${is}`];
  });
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
