/** Incidents: a key that leaked is stopped, what was done with it is counted, and it is replaced or let go again. */
import { z } from "zod";
import { incidentView, radiusView } from "./incident-views.ts";
import type { ContractRow } from "./row.ts";
import { delivery, keyId, nothing, queryNumber } from "./scalars.ts";
import { issuedKey } from "./views.ts";

const incidentId = z
  .string()
  .regex(/^inc_[0-9A-Za-z]{12}$/, "is not an incident's id (inc_ and 12 letters and digits)");
/** A sentence for people: no line breaks, no control characters. */
const sentence = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^\p{C}]+$/u, "has control characters");
const byId = z.strictObject({ id: incidentId });
const timeMs = z.int().min(0).max(8_640_000_000_000_000);

export const incidentRows = {
  "incidents.open": {
    method: "POST",
    path: "/v1/incidents",
    params: nothing,
    query: nothing,
    body: z.strictObject({
      keyId,
      /** Epoch ms from which on uses are counted; default: the key's creation. */
      since: timeMs.optional(),
      reason: sentence.optional(),
    }),
    /** `wasOpen`: it was there already, and its evidence is of then. */
    answer: incidentView.extend({ wasOpen: z.boolean() }),
    status: 201,
    permission: "keys:manage",
    caller: "any",
    events: ["incident.opened", "key.suspended"],
    says: "suspends a key at once and opens an incident; asked again, the open one is answered",
    example: { body: { keyId: "0123456789ab", reason: "found in a public repository" } },
  },
  "incidents.list": {
    method: "GET",
    path: "/v1/incidents",
    params: nothing,
    query: nothing,
    body: null,
    answer: z.object({ incidents: z.array(incidentView) }),
    status: 200,
    permission: "keys:read",
    caller: "any",
    events: [],
    says: "lists incidents of the environments the caller administers, newest first",
  },
  "incidents.radius": {
    method: "GET",
    path: "/v1/incidents/:id/radius",
    params: byId,
    query: z.strictObject({
      /** Epoch ms; default: as when the incident was opened. */
      since: queryNumber(0, 8_640_000_000_000_000).optional(),
    }),
    body: null,
    answer: z.object({ incident: incidentView, radius: radiusView }),
    status: 200,
    permission: "audit:read",
    caller: "any",
    events: [],
    says: "counts what was done with an incident's key, from which addresses, and what else those used",
  },
  "incidents.report": {
    method: "GET",
    path: "/v1/incidents/:id/report",
    params: byId,
    query: z.strictObject({
      /** Epoch ms; default: as when the incident was opened. */
      since: queryNumber(0, 8_640_000_000_000_000).optional(),
    }),
    body: null,
    /** `report` is Markdown. */
    answer: z.object({ incidentId: z.string(), report: z.string(), html: z.string() }),
    status: 200,
    permission: "audit:read",
    caller: "any",
    events: [],
    says: "writes an incident's report as Markdown and as one HTML page",
  },
  "incidents.close": {
    method: "POST",
    path: "/v1/incidents/:id/close",
    params: byId,
    query: nothing,
    body: z.strictObject({
      /** `revoke` ends the key; `reissue` as well, and makes another of the same right; `false_alarm` resumes it. */
      outcome: z.enum(["revoke", "reissue", "false_alarm"]),
      note: sentence.optional(),
      /** With `reissue`: without it, the response contains the new key. */
      deliver: delivery.optional(),
    }),
    answer: z.object({ incident: incidentView, issued: issuedKey.nullable() }),
    status: 200,
    permission: "keys:manage",
    caller: "any",
    events: ["incident.closed", "key.revoked", "key.resumed", "key.issued", "ticket.issued"],
    says: "closes an incident: the key is revoked, replaced by another, or works again",
    example: { body: { outcome: "reissue", note: "the repository is private again" } },
  },
} as const satisfies Record<string, ContractRow>;
