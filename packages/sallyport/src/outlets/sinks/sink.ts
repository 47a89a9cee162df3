/** What a sink is: somewhere records go, one batch at a time. What it cannot do is a value; the delivery decides what follows. */
import type { AuditRecord } from "../../audit/audit-log.ts";

/** A record ready to leave. */
export interface Outgoing {
  /** Unique among all nodes: a receiver recognises by it what comes twice. */
  readonly uid: string;
  readonly record: AuditRecord;
  /** JSON of one line, as the sink's format says. */
  readonly text: string;
}

export type Delivered =
  | { readonly kind: "taken" }
  /** Not now: the same batch is sent again later. */
  | { readonly kind: "later"; readonly reason: string }
  /** Never, as it is: something in the batch is not accepted. */
  | { readonly kind: "refused"; readonly reason: string };

export interface Sink {
  /** Most records of one batch, and how long fewer may wait for company, ms. */
  readonly batch: { readonly records: number; readonly lingerMs: number };
  /** May reject, which is as `later`. */
  send(batch: readonly Outgoing[]): Promise<Delivered>;
  close(): Promise<void>;
}

export const taken: Delivered = { kind: "taken" };

export function deliverLater(reason: string): Delivered {
  return { kind: "later", reason };
}

/** These are of the place or the hour, not of the records: no record is given up because a credential has expired. */
const OF_THE_PLACE: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 408, 425, 429]);

/** What an HTTP status means for the batch (RFC 9110, section 15). */
export function judgeStatus(status: number): Delivered {
  if (status >= 200 && status < 300) return taken;
  const reason = `status ${status}`;
  return status >= 400 && status < 500 && !OF_THE_PLACE.has(status)
    ? { kind: "refused", reason }
    : deliverLater(reason);
}
