/** An incident: a key has probably leaked. It is stored in a separate file, which retention does not remove. */
import { randomBase62 } from "../kernel/ids.ts";

export interface Incident {
  /** `inc_` and 12 base62 characters. */
  readonly id: string;
  readonly environment: string;
  readonly key: string;
  readonly keyName: string;
  /** Principal id; null without an owner. */
  readonly owner: string | null;
  /** Epoch ms: what is counted begins here. */
  readonly since: number;
  readonly reason: string | null;
  /** Epoch ms. */
  readonly openedAt: number;
  /** As recorded: `key:<id>`, `os:<user>`. */
  readonly openedBy: string;
  readonly closed: Closing | null;
}

export interface Closing {
  /** Epoch ms. */
  readonly at: number;
  readonly by: string;
  readonly outcome: "revoked" | "reissued" | "false_alarm";
  /** Id of the key that took its place. */
  readonly reissued: string | null;
  readonly note: string | null;
}

/** Where incidents are kept. */
export interface IncidentShelf {
  /** All that can be read, newest first. */
  list(): readonly Incident[];
  /** Ids of those that cannot be read. */
  damaged(): readonly string[];
  /** Makes or replaces it; on disk when it returns. Throws `store_unavailable`. */
  put(incident: Incident): void;
}

/** The reason that stands on a key while an incident is open, and after it was revoked by one. */
export const INCIDENT_REASON = "incident";

const INCIDENT_ID_LENGTH = 12;

export function newIncidentId(): string {
  return `inc_${randomBase62(INCIDENT_ID_LENGTH)}`;
}

export function isIncidentId(text: string): boolean {
  return /^inc_[0-9A-Za-z]{12}$/.test(text);
}

export function openIncidentOf(
  incidents: readonly Incident[],
  key: { readonly environment: string; readonly id: string },
): Incident | undefined {
  return incidents.find((one) => one.closed === null && one.key === key.id && one.environment === key.environment);
}
