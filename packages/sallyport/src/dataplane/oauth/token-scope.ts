/** The scope of a token that asked for none: whatever its key has now. */
import type { DataPermission } from "@sallyport/protocol";
import { isHeldAnywhere } from "../../access/decide.ts";
import type { EffectiveRight } from "../../access/snapshot.ts";

export function heldPermissions(right: EffectiveRight): DataPermission[] {
  const names = new Set(right.ceiling.flatMap(({ permissions }) => [...permissions]));
  return [...names].filter((permission) => isHeldAnywhere(right, permission)).toSorted();
}
