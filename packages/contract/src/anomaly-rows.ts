/** What was noticed about keys, what is done about it, and what people say of it. */
import { z } from "zod";
import type { ContractRow } from "./row.ts";
import { nothing, queryNumber, time } from "./scalars.ts";

export const alertView = z.object({
  alert: z.string(),
  at: time,
  environment: z.string(),
  key: z.string(),
  principal: z.string().nullable(),
  kind: z.string(),
  says: z.string(),
  isFact: z.boolean(),
  signals: z.number(),
  factors: z.array(z.string()),
  requests: z.array(z.string()),
  action: z.string(),
  /** What the policy asks for and only an administrator may do; null = nothing more. */
  held: z.string().nullable(),
  /** When what was done ends; null where nothing is done any more, or nothing was. */
  activeUntil: time.nullable(),
  /** Someone has confirmed it, or called it a false alarm. */
  isAnswered: z.boolean(),
});
export type AlertView = z.output<typeof alertView>;

export const anomalyRows = {
  "anomalies.list": {
    method: "GET",
    path: "/v1/anomalies",
    params: nothing,
    query: z.strictObject({
      /** Epoch ms. */
      since: queryNumber(0, 8_640_000_000_000_000).optional(),
      limit: queryNumber(1, 1_000).optional(),
    }),
    body: null,
    answer: z.object({ alerts: z.array(alertView) }),
    status: 200,
    permission: "audit:read",
    caller: "any",
    events: [],
    says: "lists what was noticed about keys, newest first, and what is done about it",
  },
  "anomalies.answer": {
    method: "POST",
    path: "/v1/anomalies/answer",
    params: nothing,
    query: nothing,
    body: z.strictObject({
      alert: z.string().min(1).max(200),
      /** A false alarm is learned from and what was done is taken back; what is confirmed does not end by itself. */
      verdict: z.enum(["false_alarm", "confirmed"]),
    }),
    answer: z.object({
      alert: z.string(),
      verdict: z.string(),
      /** False if there was nothing to undo or to learn: the classification is only recorded. */
      wasOpen: z.boolean(),
    }),
    status: 200,
    permission: "keys:manage",
    caller: "any",
    events: ["anomaly.answered", "anomaly.response_ended", "key.resumed"],
    example: { body: { alert: "dev/0123456789ab/stolen_key/1795532735796", verdict: "confirmed" } },
    says: "answers an alert",
  },
} as const satisfies Record<string, ContractRow>;
