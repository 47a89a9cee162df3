/** What is found wrong with a policy, and what that is judged by. */
import type { KeyRecord } from "../keys/key.ts";
import type { UseSurvey } from "./permission-uses.ts";
import type { Snapshot } from "./snapshot.ts";

export interface PolicyFinding {
  readonly code: "upstream_shared" | "wildcard_in_production" | "role_excess" | "role_use_unknown";
  readonly state: "ok" | "note" | "wrong";
  readonly environment: string;
  readonly says: string;
  /** Empty where there is nothing to do. */
  readonly remedy: string;
}

/** What of a key is looked at. */
export type HeldKey = Pick<KeyRecord, "environment" | "id" | "owner" | "state" | "ceiling" | "createdAt">;

export interface PolicyFacts {
  readonly snapshot: Snapshot;
  /** Looked at once, one after another: a hundred thousand of them are never held. */
  readonly keys: AsyncIterable<HeldKey> | Iterable<HeldKey>;
  readonly survey: UseSurvey;
  /** Environments that the caller may know about. */
  readonly isShown: (environment: string) => boolean;
}
