/** Which risks a line has, and in which order lines are shown: the gravest risk decides, then the next. Pure. */
import type { PopulationEntry, ReviewEvidence, ReviewRisk } from "./review.ts";
import { risks } from "./review.ts";

const DAY_MS = 86_400_000;
const UNUSED_MS = 30 * DAY_MS;
/** A subject that was made yesterday is not unused. */
const YOUNG_MS = 7 * DAY_MS;
const NEVER_ROTATED_MS = 30 * DAY_MS;

/** Permissions that change models, a server or what a request is bound by, or send prompts elsewhere. */
const PRIVILEGED =
  /^(?:models:(?:pull|pull-insecure|push|create|copy|delete|show-private)|runtime:(?:unload|pin)|infer:override|debug:|blobs:write|cloud:|account:)/;

/** `opened`: the permissions that it gives in the environment. */
export function risksOf(
  entry: PopulationEntry,
  evidence: ReviewEvidence,
  opened: readonly string[],
  now: number,
): ReviewRisk[] {
  const has: Readonly<Record<ReviewRisk, boolean>> = {
    privileged: entry.permissions.length > 0 || opened.some((permission) => PRIVILEGED.test(permission)),
    unused: isUnused(entry, evidence, now),
    wide:
      entry.environments.includes("*") || evidence.opens.some((line) => line.includes(" on ") && line.endsWith("*")),
    ownerless: evidence.ownerState === "gone" || evidence.ownerState === "disabled",
    never_rotated:
      entry.subject.includes("key:") &&
      evidence.rotatedAt === null &&
      evidence.createdAt !== null &&
      now - evidence.createdAt > NEVER_ROTATED_MS,
    anomalous: evidence.anomalies > 0,
  };
  return risks.filter((risk) => has[risk]);
}

function isUnused({ owner }: PopulationEntry, { lastUsedAt, createdAt, requests }: ReviewEvidence, now: number) {
  // The use of a group's assignment cannot be told from that of its members' other rights.
  if (owner?.startsWith("group:") && requests === null) return false;
  if (lastUsedAt !== null) return now - lastUsedAt > UNUSED_MS;
  return createdAt === null || now - createdAt > YOUNG_MS;
}

/** A text that sorts as the lines do. */
export function riskPosition(found: readonly ReviewRisk[], subject: string): string {
  return `${risks.map((risk) => (found.includes(risk) ? "0" : "1")).join("")} ${subject}`;
}
