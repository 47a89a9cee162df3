/** Uses of permissions: those since the start from memory, those before it from the ledger, as far back as can matter. */
import type { UseSurvey } from "../access/permission-uses.ts";
import type { Core } from "./core.ts";

/** Longer ago than a key lives without being used. */
const LOOKED_BACK_MS = 90 * 86_400_000;

export async function surveyUses(
  { audit, permissionUses }: Pick<Core, "audit" | "permissionUses">,
  now: number,
): Promise<UseSurvey> {
  const present = permissionUses.survey(now);
  const earlier = await audit.uses({ since: now - LOOKED_BACK_MS, until: present.from });
  return { from: Math.min(earlier.from, present.from), to: now, uses: [...earlier.uses, ...present.uses] };
}
