/** Who used what: sums of the usage counters. */
import { z } from "zod";
import type { ContractRow } from "./row.ts";
import { environmentName, nothing, queryNumber, time } from "./scalars.ts";

const count = z.number();

/** A sum. It has the members it is grouped by; a key has its environment and owner, too. */
export const usageView = z.object({
  /** UTC, `2026-01-31`. */
  day: z.string().optional(),
  environment: z.string().optional(),
  /** Id of a key; null for denials that were counted for several keys together. */
  key: z.string().nullable().optional(),
  /** Null where the key is not known any more. */
  keyName: z.string().nullable().optional(),
  /** Principal id; null without an owner. */
  principal: z.string().nullable().optional(),
  principalName: z.string().nullable().optional(),
  team: z.string().nullable().optional(),
  /** A model's key; `other`: models without a separate row; null: requests without a model. */
  model: z.string().nullable().optional(),
  /** Requests that were admitted, however they ended. */
  requests: count,
  /** Requests that were rejected. */
  denied: count,
  /** Those by the code of the denial. */
  codes: z.record(z.string(), count),
  inputTokens: count,
  outputTokens: count,
  /** Requests whose tokens are the gateway's estimate, because the model server reported none. */
  estimated: count,
  computeMs: count,
  queueMs: count,
  bytesIn: count,
  bytesOut: count,
  firstAt: time,
  lastAt: time,
});
export type UsageView = z.output<typeof usageView>;

const EPOCH_MS_MAX = 8_640_000_000_000_000;
const subject = z.string().max(512).optional();

const rebuildView = z.object({
  state: z.enum(["idle", "running", "done", "failed"]),
  /** Records of the audit log that were read, and how many there are. */
  records: z.number(),
  total: z.number(),
  /** The first day that the audit log still covers; null while it runs, and if it covers no whole day. */
  firstDay: z.string().nullable(),
  /** Rows that differed from the audit log and were corrected. */
  corrected: z.number(),
  /** Why it failed. */
  failure: z.string().nullable(),
});
export type UsageRebuildView = z.output<typeof rebuildView>;

export const usageRows = {
  "usage.list": {
    method: "GET",
    path: "/v1/usage",
    params: nothing,
    query: z.strictObject({
      /** One row for each. */
      by: z.enum(["key", "principal", "team", "model", "environment", "day"]).default("key"),
      /** Divides each row by model. */
      models: z.enum(["true", "false"]).optional(),
      /** Epoch ms; the whole UTC days of both count. Default: the last 30 days. */
      since: queryNumber(0, EPOCH_MS_MAX).optional(),
      until: queryNumber(0, EPOCH_MS_MAX).optional(),
      environment: environmentName.optional(),
      /** Key id. */
      key: subject,
      /** Principal id, or unique name. */
      principal: subject,
      team: subject,
      /** A model's name. */
      model: subject,
      /** `next` of the page before. */
      after: z.string().max(4_096).optional(),
      limit: queryNumber(1, 1_000).optional(),
    }),
    body: null,
    answer: z.object({
      rows: z.array(usageView),
      next: z.string().nullable(),
      /** First and last day of the report. */
      since: z.string(),
      until: z.string(),
      /** The first day of the report that has counters; null without any. */
      firstDay: z.string().nullable(),
    }),
    status: 200,
    permission: "keys:read",
    caller: "any",
    events: [],
    says: "sums requests, tokens and compute time of the environments the caller administers",
  },
  "usage.rebuild": {
    method: "POST",
    path: "/v1/usage/rebuild",
    params: nothing,
    query: nothing,
    body: null,
    answer: rebuildView,
    status: 200,
    permission: "admin:manage",
    caller: "socket",
    events: ["usage.rebuild"],
    says: "counts use again from the audit log, and corrects counters that differ",
  },
  "usage.rebuilding": {
    method: "GET",
    path: "/v1/usage/rebuild",
    params: nothing,
    query: nothing,
    body: null,
    answer: rebuildView,
    status: 200,
    permission: "status:read",
    caller: "any",
    events: [],
    says: "shows how far the newest rebuild of the usage counters is",
  },
} as const satisfies Record<string, ContractRow>;
