/** What `GET /v1/events` sends, beside the contract's rows: it is a stream of events, no JSON. */
import { z } from "zod";
import { time } from "./scalars.ts";

export const eventsQuery = z.strictObject({});

/** A request that is over. */
export const liveRequest = z.object({
  id: z.string(),
  at: time,
  environment: z.string(),
  key: z.string(),
  keyName: z.string(),
  principal: z.string().nullable(),
  endpoint: z.string(),
  model: z.string().nullable(),
  /** `served`, `refused`, `cut`, `client_gone`…: as in metrics. */
  outcome: z.string(),
  /** Why it was denied or ended. */
  code: z.string().nullable(),
  totalMs: z.number(),
  queuedMs: z.number(),
  inputTokens: z.number(),
  outputTokens: z.number(),
});
export type LiveRequest = z.output<typeof liveRequest>;

/** Kinds of record that change. */
export type ChangedKind =
  | "keys"
  | "policy"
  | "people"
  | "findings"
  | "reviews"
  | "incidents"
  | "alerts"
  | "leaks"
  | "audit"
  | "activity";

/** By the name of the event. */
export interface StreamedEvents {
  /** The first one. `run`: of the gateway since its start. */
  readonly hello: { readonly version: string; readonly run: string };
  /** What happened since the last id is not known: ask everything again. */
  readonly reset: Record<never, never>;
  /** `left`: more of them happened, and are not sent. */
  readonly requests: { readonly requests: readonly LiveRequest[]; readonly left: number };
  /** Records of these kinds have changed. */
  readonly changed: { readonly kinds: readonly ChangedKind[] };
  /** The last one, with the reason. */
  readonly end: { readonly code: string; readonly says: string };
}
