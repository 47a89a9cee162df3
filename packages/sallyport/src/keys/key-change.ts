/** What a change of one key is made of: the operation on its life, and the event that says what happened to it. */
import type { Operation } from "../changes/change.ts";
import type { LedgerEvent } from "../audit/event.ts";
import type { KeyRecord } from "./key.ts";

export function lifeOperation(next: KeyRecord): Operation {
  const { environment, id, secrets, rotation, rotatedAt, frozenAt, lifetimeMs, told, idleSince } = next;
  const life = { secrets, rotation, rotatedAt, frozenAt, lifetimeMs, told, idleSince };
  return { op: "key.life", environment, id, life };
}

export function keyEvent(
  { environment, id, name, owner }: KeyRecord,
  what: Pick<LedgerEvent, "type" | "at" | "actor">,
  fields: LedgerEvent["fields"],
): LedgerEvent {
  return { ...what, environment, fields: { key: id, name, owner, ...fields } };
}
