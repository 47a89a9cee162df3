/** Findings about one key's life: its owner, its age, its secrets and its use. */
import { SYSTEM_REALM } from "@sallyport/protocol";
import { isDisabledIn } from "../holding.ts";
import { findingOf } from "./posture-finding.ts";
import type { JudgedKey, KeyUseFacts, PolicyFacts, PostureFinding } from "./posture-finding.ts";

const DAY_MS = 86_400_000;
/** Also what a list of keys is filtered by. */
export const NEAR_EXPIRY_MS = 7 * DAY_MS;
export const NEVER_USED_MS = 7 * DAY_MS;
export const UNUSED_MS = 30 * DAY_MS;
/** A key that was issued for hours is not near its expiry from its first minute on. */
export const LAST_PART = 4;

type Facts = Pick<PolicyFacts, "now" | "snapshot">;

export function keyFindings(key: JudgedKey, uses: KeyUseFacts | null, facts: Facts): PostureFinding[] {
  // The session of a log-in ends by itself, and has no other owner than the person who is logged in.
  if (key.state !== "active" || key.session !== null) return [];
  return [
    ...withoutOwner(key, facts),
    ...nearExpiry(key, facts),
    ...(uses ? [...onOldSecret(key, uses, facts), ...unused(key, uses, facts)] : []),
  ];
}

/** What all findings about a key have in common. */
export function keySubject(key: JudgedKey, { principals }: PolicyFacts["snapshot"]) {
  const owner = key.owner === null ? null : (principals.get(key.owner)?.name ?? null);
  return { environment: key.environment, subject: `key:${key.id}`, owner };
}

function withoutOwner(key: JudgedKey, { snapshot }: Facts): PostureFinding[] {
  if (key.environment === SYSTEM_REALM) return [];
  const owner = key.owner === null ? undefined : snapshot.principals.get(key.owner);
  if (owner && !isDisabledIn(owner, key.environment)) return [];
  return [
    findingOf("key_without_owner", {
      ...keySubject(key, snapshot),
      says: `the key ${key.name} is active, and its owner ${owner ? `${owner.name} is disabled` : "does not exist"}`,
      evidence: [`owner ${key.owner ?? "none"}`],
      remedy: `sallyport keys revoke ${key.id}`,
    }),
  ];
}

function nearExpiry(key: JudgedKey, { now, snapshot }: Facts): PostureFinding[] {
  const expiresAt = expiryOf(key);
  if (expiresAt === null || expiresAt <= now) return [];
  const leftMs = expiresAt - now;
  if (leftMs > NEAR_EXPIRY_MS || (key.lifetimeMs !== null && leftMs > key.lifetimeMs / LAST_PART)) return [];
  return [
    findingOf("key_near_expiry", {
      ...keySubject(key, snapshot),
      says: `the key ${key.name} expires at ${timeText(expiresAt)}`,
      evidence: [`expires at ${timeText(expiresAt)}`],
      remedy:
        key.admin === null
          ? `sallyport keys rotate ${key.id}`
          : "create another, and revoke this one: sallyport admin keys create",
      since: expiresAt - NEAR_EXPIRY_MS,
    }),
  ];
}

function onOldSecret(key: JudgedKey, { lastUses }: KeyUseFacts, { snapshot }: Facts): PostureFinding[] {
  const found = usedOldSecret(key.secrets, lastUses);
  if (found === undefined) return [];
  const { newest, last } = found;
  return [
    findingOf("key_on_old_secret", {
      ...keySubject(key, snapshot),
      says: `the old secret of the key ${key.name} was used at ${timeText(last)}, after the new one was created`,
      evidence: [`new secret of ${timeText(newest.createdAt)}`, `last use of the old one at ${timeText(last)}`],
      remedy: `see which instances use it, then end it: sallyport keys show ${key.id}`,
      since: newest.createdAt,
    }),
  ];
}

/** The newest secret, and when an older one was used after it was made; undefined where none was. */
function usedOldSecret(secrets: JudgedKey["secrets"], lastUses: ReadonlyMap<number, number>) {
  const newest = secrets.findLast(({ state }) => state === "pending" || state === "active");
  if (!newest) return undefined;
  const older = secrets.filter(({ generation, state }) => generation < newest.generation && state !== "destroyed");
  const last = Math.max(0, ...older.map(({ generation }) => lastUses.get(generation) ?? 0));
  return last <= newest.createdAt ? undefined : { newest, last };
}

/** Some client still has a secret that was replaced. */
export function isOnOldSecret(secrets: JudgedKey["secrets"], lastUses: ReadonlyMap<number, number>): boolean {
  return usedOldSecret(secrets, lastUses) !== undefined;
}

function unused(key: JudgedKey, { lastUses }: KeyUseFacts, { now, snapshot }: Facts): PostureFinding[] {
  // No one has a reason to use a canary key, nor the recovery key before everything else is lost.
  if (key.isDecoy || (key.admin !== null && expiryOf(key) === null)) return [];
  const last = Math.max(0, ...lastUses.values());
  const since = last === 0 ? key.idleSince : last;
  const days = Math.floor((now - since) / DAY_MS);
  const evidence = [last === 0 ? `never used since ${timeText(since)}` : `last used at ${timeText(last)}`];
  const common = { ...keySubject(key, snapshot), evidence };
  const says = (what: string): string => `${what} ${key.name} was not used for ${days} days`;
  if (key.admin !== null)
    return now - since < UNUSED_MS
      ? []
      : [
          findingOf("admin_key_unused", {
            ...common,
            says: says("the admin key"),
            remedy: `sallyport admin keys revoke ${key.id}`,
            since: since + UNUSED_MS,
          }),
        ];
  const remedy = `sallyport keys revoke ${key.id}`;
  if (last === 0)
    return now - since < NEVER_USED_MS
      ? []
      : [findingOf("key_never_used", { ...common, says: says("the key"), remedy, since: since + NEVER_USED_MS })];
  return now - since < UNUSED_MS
    ? []
    : [findingOf("key_unused", { ...common, says: says("the key"), remedy, since: since + UNUSED_MS })];
}

/** Of the secret in use: the active one, or of a key without one the newest. */
function expiryOf({ secrets }: JudgedKey): number | null {
  return (secrets.find(({ state }) => state === "active") ?? secrets.at(-1))?.expiresAt ?? null;
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
