/**
 * What is due for a key because of its age, its inactivity or an owner who is gone. Pure, so that the dry run and the
 * run agree. One finding per key at a time, the gravest one that is due; the next one is found when it is due.
 */
import type { KeyLife } from "../access/policy.ts";
import { expiryOf } from "./key.ts";
import type { KeyRecord } from "./key.ts";
import { settle } from "./secret-machine.ts";
import type { LastUses } from "./secret-machine.ts";

export type FindingCode =
  | "key_expiring"
  | "key_expired"
  | "key_never_used"
  | "key_unused"
  | "key_orphaned"
  | "rotation_over";

export interface KeyFinding {
  readonly keyId: string;
  readonly environment: string;
  readonly code: FindingCode;
  readonly action: "notice" | "suspend" | "revoke" | "end_overlap";
  /** Since when it is due, epoch ms. */
  readonly dueAt: number;
  /** What `told` gets, so that a notice is given once; null where the action itself ends the finding. */
  readonly mark: string | null;
}

export interface KeyFacts {
  readonly key: KeyRecord;
  readonly life: KeyLife;
  readonly uses: LastUses;
  /** False when the owner is disabled or gone. */
  readonly hasOwner: boolean;
  readonly now: number;
}

/** In order of gravity; undefined when nothing is due. Admin keys have no owner and are not looked at. */
export function findDue(facts: KeyFacts): KeyFinding | undefined {
  if (facts.key.state === "revoked" || facts.key.owner === null) return undefined;
  return rotationOver(facts) ?? ended(facts) ?? disused(facts) ?? orphaned(facts) ?? expiring(facts);
}

/** Records the end of an overlap, or of a new secret that was never used; both stopped working by themselves. */
function rotationOver({ key, life, uses, now }: KeyFacts): KeyFinding | undefined {
  if (settle(key, now, { quietMs: life.quietMs, uses }) === key) return undefined;
  return found(key, "rotation_over", "end_overlap", now, null);
}

function ended({ key, life, now }: KeyFacts): KeyFinding | undefined {
  const expiresAt = expiryOf(key);
  if (expiresAt === null) return undefined;
  const dueAt = expiresAt + life.rotateWithinMs;
  return dueAt <= now ? found(key, "key_expired", "revoke", dueAt, null) : undefined;
}

function disused({ key, life, uses, now }: KeyFacts): KeyFinding | undefined {
  // Canary keys are meant to be unused.
  if (key.isDecoy) return undefined;
  const { usedAt, since } = idleSinceOf(key, uses);
  const isDue = (lengthMs: number): boolean => lengthMs > 0 && now - since >= lengthMs;
  if (isDue(life.destroyMs)) return found(key, "key_unused", "revoke", since + life.destroyMs, null);
  if (key.state === "suspended") return undefined;
  if (usedAt === 0 && isDue(life.neverUsedMs))
    return found(key, "key_never_used", "suspend", since + life.neverUsedMs, null);
  if (isDue(life.idleMs)) return found(key, "key_unused", "suspend", since + life.idleMs, null);
  const mark = `unused:${since}`;
  if (isDue(life.unusedNoticeMs) && !key.told.includes(mark))
    return found(key, "key_unused", "notice", since + life.unusedNoticeMs, mark);
  return undefined;
}

/** Its last use, 0 for none, and since when it counts as unused: that, or when it was made or resumed. Epoch ms. */
export function idleSinceOf(key: Pick<KeyRecord, "idleSince">, uses: LastUses): { usedAt: number; since: number } {
  const usedAt = Math.max(0, ...uses.values());
  return { usedAt, since: Math.max(usedAt, key.idleSince) };
}

/** The first look that finds no owner gives notice and remembers when; the key is handed over in time or suspended. */
function orphaned({ key, life, hasOwner, now }: KeyFacts): KeyFinding | undefined {
  if (hasOwner || life.orphanMs === 0 || key.state === "suspended") return undefined;
  const noticed = key.told.find((mark) => mark.startsWith("orphaned:"));
  if (noticed === undefined) return found(key, "key_orphaned", "notice", now, `orphaned:${now}`);
  const dueAt = Number(noticed.slice("orphaned:".length)) + life.orphanMs;
  return dueAt <= now ? found(key, "key_orphaned", "suspend", dueAt, null) : undefined;
}

/** Of several notices that are due (a server was down) only the last is given. */
function expiring({ key, life, now }: KeyFacts): KeyFinding | undefined {
  const expiresAt = expiryOf(key);
  if (expiresAt === null || expiresAt <= now) return undefined;
  const due = life.noticesMs.filter((beforeMs) => expiresAt - beforeMs <= now);
  const lastMs = Math.min(...due);
  const mark = `expiring:${expiresAt}:${lastMs}`;
  if (due.length === 0 || key.told.includes(mark)) return undefined;
  return found(key, "key_expiring", "notice", expiresAt - lastMs, mark);
}

function found(
  key: KeyRecord,
  code: FindingCode,
  action: KeyFinding["action"],
  dueAt: number,
  mark: string | null,
): KeyFinding {
  return { keyId: key.id, environment: key.environment, code, action, dueAt, mark };
}
