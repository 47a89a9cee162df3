/** The gateway's state and its audit log. */
import { z } from "zod";
import { auditFilter, sequenceNumber } from "./audit-filter.ts";
import type { ContractRow } from "./row.ts";
import { nothing, queryNumber } from "./scalars.ts";
import { auditRecordView, verdictView } from "./views.ts";

export const gatewayRows = {
  status: {
    method: "GET",
    path: "/v1/status",
    params: nothing,
    query: nothing,
    body: null,
    answer: z.object({
      version: z.string(),
      startedAt: z.string(),
      epoch: z.number(),
      keys: z.number(),
      environments: z.array(z.string()),
      isStoreWritable: z.boolean(),
      /** Rows of the store that were met damaged since the start: what is in them is not served. */
      damagedRecords: z.number(),
      /** Incidents that are not closed. */
      openIncidents: z.number(),
      running: z.number(),
      queued: z.number(),
      /** The sinks of audit records, and how far each has been delivered. */
      sinks: z.array(
        z.object({
          name: z.string(),
          type: z.string(),
          lagRecords: z.number(),
          lagSeconds: z.number(),
          sent: z.number(),
          deadLettered: z.number(),
          failures: z.number(),
          trouble: z.string().nullable(),
        }),
      ),
      dataListen: z.string(),
      adminListen: z.string(),
    }),
    status: 200,
    permission: "status:read",
    caller: "any",
    events: [],
    says: "says how the gateway is",
  },
  openapi: {
    method: "GET",
    path: "/v1/openapi.json",
    params: nothing,
    query: nothing,
    body: null,
    answer: z.record(z.string(), z.unknown()),
    status: 200,
    permission: "status:read",
    caller: "any",
    events: [],
    says: "describes this API as an OpenAPI 3.1 document",
  },
  "audit.search": {
    method: "GET",
    path: "/v1/audit",
    params: nothing,
    query: z.strictObject({
      ...auditFilter,
      /** Only records after this sequence number. */
      after: sequenceNumber.optional(),
      /** Only records before it: how a page that is not the first is asked for, newest first. */
      before: sequenceNumber.optional(),
      limit: queryNumber(1, 1_000).optional(),
      order: z.enum(["newest", "oldest"]).optional(),
    }),
    body: null,
    answer: z.object({
      records: z.array(auditRecordView),
      /** What to give as `before` (newest first) or `after` (oldest first) for the next page; null = this was the last. */
      next: z.number().nullable(),
    }),
    status: 200,
    permission: "audit:read",
    caller: "any",
    events: ["audit.read"],
    says: "searches the audit records of the environments that the caller administers, and records the reader",
  },
  "audit.proof": {
    method: "GET",
    path: "/v1/audit/:seq/proof",
    params: z.strictObject({ seq: sequenceNumber }),
    query: nothing,
    body: null,
    answer: z.object({
      /** C2SP tlog-proof: the record, the hashes that lead from it to a root, and the signed checkpoint of its log. */
      proof: z.string(),
    }),
    status: 200,
    permission: "audit:read",
    caller: "any",
    events: ["audit.read"],
    example: { params: { seq: "1" } },
    says: "proves that one record is in its environment's log, in a form that anyone can check offline, and records the reader",
  },
  "audit.verify": {
    method: "POST",
    path: "/v1/audit/verify",
    params: nothing,
    query: nothing,
    body: null,
    answer: verdictView,
    status: 200,
    permission: "audit:read",
    caller: "any",
    events: [],
    says: "verifies the whole audit log: order, chain and signed head",
  },
} as const satisfies Record<string, ContractRow>;
