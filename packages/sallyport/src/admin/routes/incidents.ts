/**
 * Incidents. Opening one suspends the key before anything else; the incident's file is written afterwards, so a full
 * disk does not prevent stopping a key. Closing one revokes the key, replaces it, or reactivates it.
 */
import { Problem } from "@sallyport/protocol";
import type { IncidentView, RadiusView } from "@sallyport/contract";
import { administers } from "../../access/attenuation.ts";
import type { Operation } from "../../changes/change.ts";
import type { LedgerEvent } from "../../audit/event.ts";
import { INCIDENT_REASON, newIncidentId, openIncidentOf } from "../../incident/incident.ts";
import type { Closing, Incident } from "../../incident/incident.ts";
import { makeReport } from "../../incident/make-report.ts";
import { formatHtml } from "../../incident/report-html.ts";
import { formatMarkdown } from "../../incident/report-markdown.ts";
import { networkPrefix } from "../../kernel/network-prefix.ts";
import type { Rightsizing } from "../../access/rightsizing/rightsizing.ts";
import type { KeyRecord } from "../../keys/key.ts";
import { demandEnvironment, eventOf } from "../call.ts";
import type { AnyCall, Call, Handlers } from "../call.ts";
import type { Caller } from "../caller.ts";
import { checkDelivery, makeDelivery } from "../deliver.ts";
import { eachKey } from "../each-key.ts";
import { findKey } from "../find-key.ts";
import { refuseSession } from "../gated-ports.ts";
import type { AdminPorts } from "../ports.ts";
import { isoTime, viewKey } from "../views.ts";
import { reissueKey } from "./reissue-key.ts";

const SIBLINGS_MAX = 500;

export function openIncidents(ports: Pick<AdminPorts, "incidents">, { issuer }: Caller): readonly Incident[] {
  return ports.incidents
    .list()
    .filter(({ closed, environment }) => closed === null && administers(issuer.right, environment));
}

function open(call: Call<"incidents.open">) {
  const { ports, caller, body } = call;
  return ports.changes.inTurn(async () => {
    const key = findKey(call, body.keyId);
    const { environment, id, state } = key;
    const held = openIncidentOf(ports.incidents.list(), key);
    if (held && state !== "active") return { ...viewIncident(held), wasOpen: true };
    const now = ports.clock.now();
    const incident: Incident = held ?? {
      id: newIncidentId(),
      environment,
      key: id,
      keyName: key.name,
      owner: key.owner,
      since: body.since ?? key.createdAt,
      reason: body.reason ?? null,
      openedAt: now,
      openedBy: caller.issuer.actor,
      closed: null,
    };
    const isStopped = state !== "revoked" && key.reason !== INCIDENT_REASON;
    const fields = { key: id, name: key.name, owner: key.owner, incident: incident.id };
    await ports.changes.change({
      operations: isStopped ? [{ op: "key.state", environment, id, state: "suspended", reason: INCIDENT_REASON }] : [],
      events: [
        eventOf(call, "incident.opened", environment, { ...fields, since: incident.since, reason: incident.reason }),
        ...(isStopped ? [eventOf(call, "key.suspended", environment, { ...fields, reason: INCIDENT_REASON })] : []),
      ],
    });
    ports.incidents.put(incident);
    return { ...viewIncident(incident), wasOpen: held !== undefined };
  });
}

function close(call: Call<"incidents.close">) {
  const { ports, caller, body } = call;
  checkDelivery(body.deliver);
  if (body.deliver && body.outcome !== "reissue")
    throw new Problem("input_invalid", undefined, ["deliver: goes with the outcome reissue"]);
  return ports.changes.inTurn(async () => {
    const incident = findIncident(call);
    if (incident.closed) throw new Problem("conflict", `incident ${incident.id} is closed`);
    const key = findKey(call, incident.key);
    await refuseClosedBefore(call, incident);
    const closing = (outcome: Closing["outcome"], reissued: string | null): Incident => ({
      ...incident,
      closed: { at: ports.clock.now(), by: caller.issuer.actor, outcome, reissued, note: body.note ?? null },
    });
    if (body.outcome === "false_alarm") {
      refuseSession(key);
      const closed = closing("false_alarm", null);
      await ports.changes.change({
        operations: resumed(call, key),
        events: closedEvents(call, closed, key, "resumed"),
      });
      ports.incidents.put(closed);
      return { incident: viewIncident(closed), issued: null };
    }
    const operations: Operation[] = revoked(key);
    if (body.outcome === "revoke") {
      const closed = closing("revoked", null);
      await ports.changes.change({ operations, events: closedEvents(call, closed, key, "revoked") });
      ports.incidents.put(closed);
      return { incident: viewIncident(closed), issued: null };
    }
    const { record, text, expiresAt, owner, event } = reissueKey(call, key);
    const closed = closing("reissued", record.id);
    const handed = { environment: record.environment, keyId: record.id, keyName: record.name, text };
    const delivered = body.deliver && (await makeDelivery(call, body.deliver, { ...handed, purpose: "create" }));
    operations.push({ op: "key.insert", key: record }, ...(delivered ? [delivered.operation] : []));
    const [first, ...rest] = closedEvents(call, closed, key, "revoked");
    const events: [LedgerEvent, ...LedgerEvent[]] = [first, ...rest, event, ...(delivered ? [delivered.event] : [])];
    // The replacement of a right-sized key can do no more than it.
    const sizing = inheritedSizing(call, key, record);
    if (sizing) {
      operations.push({ op: "rightsizing.put", rightsizing: sizing });
      const fields = { key: record.id, name: record.name, owner, replaces: key.id };
      events.push(eventOf(call, "rightsizing.applied", record.environment, fields));
    }
    await ports.changes.change({ operations, events });
    ports.incidents.put(closed);
    const told = delivered
      ? { ticket: delivered.ticket.reveal(), ticketExpiresAt: isoTime(delivered.expiresAt) }
      : { key: text.reveal() };
    const { id, environment, name } = record;
    return {
      incident: viewIncident(closed),
      issued: { id, ...told, environment, expiresAt: isoTime(expiresAt), name, owner },
    };
  });
}

function inheritedSizing(
  { ports, caller }: AnyCall,
  { environment, id }: KeyRecord,
  next: Pick<KeyRecord, "id">,
): Rightsizing | undefined {
  const held = ports.rightsizings.get(environment, id);
  if (held?.state !== "applied") return undefined;
  return { ...held, key: next.id, by: caller.issuer.actor, at: ports.clock.now() };
}

function revoked({ environment, id, state }: KeyRecord): Operation[] {
  if (state === "revoked") return [];
  return [{ op: "key.state", environment, id, state: "revoked", reason: INCIDENT_REASON }];
}

/** As `lifecycle.resume` does it: inactivity is counted from now, notices are sent again. */
function resumed({ ports }: AnyCall, key: KeyRecord): Operation[] {
  const { environment, id, state, secrets, rotation, rotatedAt, frozenAt, lifetimeMs } = key;
  if (state === "revoked") throw new Problem("conflict", `key ${id} is revoked, which is final`);
  const life = { secrets, rotation, rotatedAt, frozenAt, lifetimeMs, told: [], idleSince: ports.clock.now() };
  const narrowed = ports.restrictions().filter((one) => one.kind === "key_leaked" && one.environment === environment && one.key === id); // prettier-ignore
  return [
    ...narrowed.map((one): Operation => ({ op: "restriction.remove", id: one.id })),
    { op: "key.state", environment, id, state: "active", reason: null },
    { op: "key.life", environment, id, life },
  ];
}

function closedEvents(
  call: AnyCall,
  { id: incident, closed }: Incident,
  { environment, id, name, owner, state }: KeyRecord,
  becomes: "revoked" | "resumed",
): [LedgerEvent, ...LedgerEvent[]] {
  const fields = { key: id, name, owner, incident };
  const { outcome = "revoked", reissued = null, note = null } = closed ?? {};
  const first = eventOf(call, "incident.closed", environment, { ...fields, outcome, reissued, note });
  const hasChanged = becomes === "resumed" ? state !== "active" : state !== "revoked";
  return hasChanged
    ? [first, eventOf(call, `key.${becomes}`, environment, { ...fields, reason: INCIDENT_REASON })]
    : [first];
}

/** A close whose file could not be written is in the audit log all the same: nothing is issued a second time. */
async function refuseClosedBefore({ ports }: AnyCall, incident: Incident): Promise<void> {
  const { environment, openedAt: since, id } = incident;
  const found = await ports.audit.search({
    type: "incident.closed",
    environment,
    since,
    limit: 1_000,
    order: "newest",
  });
  const record = found.find(({ fields, type }) => type === "incident.closed" && fields["incident"] === id);
  if (!record) return;
  const { outcome, reissued, note } = record.fields as unknown as Closing;
  ports.incidents.put({ ...incident, closed: { at: record.at, by: record.actor, outcome, reissued, note } });
  throw new Problem("conflict", `incident ${id} is closed`);
}

async function radius(
  call: Call<"incidents.radius"> | Call<"incidents.report">,
): Promise<{ incident: IncidentView; radius: RadiusView }> {
  const { ports, caller, query } = call;
  const incident = findIncident(call);
  const key = findKey(call, incident.key);
  const now = ports.clock.now();
  const { environment, id, owner, createdAt, ceiling } = key;
  const siblings = siblingsOf(call, key);
  const found = await ports.audit.radius({
    environment,
    key: id,
    owner,
    siblings: siblings.rows.map((one) => `key:${one.id}`),
    roles: ceiling.roles,
    createdAt: Math.min(createdAt, query.since ?? incident.since),
    since: query.since ?? incident.since,
    until: now,
    environments: caller.issuer.right.environments,
  });
  const principal = owner === null ? undefined : ports.snapshot().principals.get(owner);
  const clients = ports.uses.of(environment, id).filter(({ address }) => address !== "");
  return {
    incident: viewIncident(incident),
    radius: {
      ...found,
      key: viewKey(key, now),
      owner: principal
        ? { id: principal.id, kind: principal.kind, name: principal.name, isDisabled: principal.isDisabled }
        : null,
      siblings: { rows: siblings.rows.map((one) => viewKey(one, now)), more: siblings.more },
      clients: clients.map(({ address, agent, usedAt }) => ({ address, agent, usedAt: isoTime(usedAt) })),
      networks: Object.fromEntries(found.addresses.rows.map(({ address }) => [address, networkPrefix(address)])),
    },
  };
}

/** The report's text for callers on other machines: evidence and proofs are files, and are made on the gateway host. */
async function report(call: Call<"incidents.report">): Promise<{ incidentId: string; report: string; html: string }> {
  const measured = await radius(call);
  const made = makeReport({
    ...measured,
    proofs: measured.radius.decisive.map(({ seq, why }) => ({ seq, why, file: null })),
    evidence: {
      folders: [],
      missing: `none was copied: run 'sallyport incident report ${measured.incident.id}' on the gateway host`,
    },
  });
  return { incidentId: measured.incident.id, report: formatMarkdown(made), html: formatHtml(made) };
}

function siblingsOf({ ports, caller }: AnyCall, { id, environment, owner }: KeyRecord) {
  const rows: KeyRecord[] = [];
  let more = 0;
  if (owner === null) return { rows, more };
  for (const one of eachKey(ports, { owner })) {
    if (one.id === id && one.environment === environment) continue;
    if (!administers(caller.issuer.right, one.environment)) continue;
    if (rows.length < SIBLINGS_MAX) rows.push(one);
    else more++;
  }
  return { rows, more };
}

function findIncident(call: AnyCall & { readonly params: { readonly id: string } }): Incident {
  const incident = call.ports.incidents.list().find(({ id }) => id === call.params.id);
  if (!incident) throw new Problem("not_found", `there is no incident ${call.params.id}`);
  demandEnvironment(call, incident.environment);
  return incident;
}

export function viewIncident(incident: Incident): IncidentView {
  const { id, environment, key: keyId, keyName, owner, since, reason, openedAt, openedBy, closed } = incident;
  return {
    id,
    environment,
    keyId,
    keyName,
    owner,
    state: closed ? "closed" : "open",
    since: isoTime(since),
    reason,
    openedAt: isoTime(openedAt),
    openedBy,
    closed: closed && { ...closed, at: isoTime(closed.at) },
  };
}

export const incidentHandlers: Handlers<
  "incidents.open" | "incidents.list" | "incidents.radius" | "incidents.report" | "incidents.close"
> = {
  "incidents.open": open,
  "incidents.list": ({ ports, caller }) => ({
    incidents: ports.incidents
      .list()
      .filter(({ environment }) => administers(caller.issuer.right, environment))
      .map(viewIncident),
  }),
  "incidents.radius": radius,
  "incidents.report": report,
  "incidents.close": close,
};
