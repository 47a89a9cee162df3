/** What can be done to keys and what belongs to them, and the record each operation leaves. */
import type { AdminRight, RightSpec } from "../access/policy.ts";
import type { KeyFactors, KeyRecord, KeyState } from "./key.ts";
import type { Restriction } from "./restriction.ts";
import type { TicketRecord } from "./ticket.ts";

/** What rotation, notices and inactivity change of a key: its secrets and their history. */
export type KeyLifeState = Pick<
  KeyRecord,
  "secrets" | "rotation" | "rotatedAt" | "frozenAt" | "lifetimeMs" | "told" | "idleSince"
>;

export type KeyOperation =
  | { readonly op: "key.insert"; readonly key: KeyRecord }
  | {
      readonly op: "key.state";
      readonly environment: string;
      readonly id: string;
      readonly state: KeyState;
      /** Why, as a code; null for `active`. */
      readonly reason: string | null;
    }
  | { readonly op: "key.life"; readonly environment: string; readonly id: string; readonly life: KeyLifeState }
  | { readonly op: "key.factors"; readonly environment: string; readonly id: string; readonly factors: KeyFactors }
  /** What an admin key may do and hand out; it only ever gets less. */
  | { readonly op: "key.admin"; readonly environment: string; readonly id: string; readonly admin: AdminRight }
  /** A key scope that is within the present one. */
  | { readonly op: "key.narrow"; readonly environment: string; readonly id: string; readonly ceiling: RightSpec }
  | { readonly op: "ticket.put"; readonly ticket: TicketRecord }
  | { readonly op: "restriction.put"; readonly restriction: Restriction }
  | { readonly op: "restriction.remove"; readonly id: string };

/** A key as it is now; `now` is undefined if its row is damaged: the next reader finds the damage. */
export interface KeyImage {
  readonly of: "key";
  readonly environment: string;
  readonly id: string;
  readonly now: KeyRecord | undefined;
}

export type KeysImage =
  | KeyImage
  | { readonly of: "ticket"; readonly environment: string; readonly id: string; readonly now: TicketRecord }
  | { readonly of: "restriction"; readonly id: string; readonly now: Restriction | null };
