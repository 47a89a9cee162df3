/** The scope of a token without a requested one: all that its key has now, as far as the access conditions are met. */
import type { DataPermission } from "@sallyport/protocol";
import { isHeldAnywhere } from "../../access/decide.ts";
import { doorsOf } from "../../access/decide.ts";
import { refuseDoors } from "../../access/door.ts";
import type { Presented } from "../../access/door.ts";
import type { EffectiveRight } from "../../access/snapshot.ts";

export function heldPermissions(right: EffectiveRight): DataPermission[] {
  const names = new Set(right.ceiling.flatMap(({ permissions }) => [...permissions]));
  return [...names].filter((permission) => isHeldAnywhere(right, permission)).toSorted();
}

/** If no access condition is met, all of it, so that the denial names the condition and not the scope. */
export function openPermissions(right: EffectiveRight, presented: Presented): DataPermission[] {
  const held = heldPermissions(right);
  const open = held.filter((permission) => refuseDoors(doorsOf(right, [permission]), presented) === undefined);
  return open.length > 0 ? open : held;
}
