/** Ends log-ins: the keys that stand for them are revoked, and what runs under them is cut. */
import type { External } from "../access/policy.ts";
import type { Operation } from "../audit/change.ts";
import type { LedgerEvent } from "../audit/event.ts";
import type { SessionsOf } from "../identity/reconciler.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { Core } from "./core.ts";

/** Answers the principals whose they were. Called in a turn or outside one: it takes none of its own. */
export async function endSessions(core: Core, which: SessionsOf): Promise<readonly string[]> {
  const now = core.clock.now();
  const meant = sessionsOf(core, which).filter((key) => isMeant(key, which));
  if (meant.length === 0) return [];
  const operations = meant.map(({ environment, id }): Operation => ({
    op: "key.state",
    environment,
    id,
    state: "revoked",
    reason: "signed_out",
  }));
  const [first, ...rest] = meant.map(({ environment, id, name, owner }): LedgerEvent => ({
    type: "key.revoked",
    at: now,
    environment,
    actor: "gateway",
    fields: { key: id, name, owner, reason: "signed_out" },
  }));
  await core.changes.change({ operations, events: [first!, ...rest] });
  return [...new Set(meant.map(({ owner }) => owner ?? ""))];
}

/** Of the people who could be meant, by the index of owners: a million keys are not walked for one log-out. */
function sessionsOf({ store, snapshot }: Core, which: SessionsOf): KeyRecord[] {
  const owners =
    "principal" in which
      ? [which.principal]
      : [...snapshot().principals.values()].filter(({ external }) => isKnownTo(external, which)).map(({ id }) => id);
  return owners.flatMap((owner) =>
    store.reader.keys({ owner }).filter(({ session, state }) => session !== null && state !== "revoked"),
  );
}

/** By what the provider said at a log-in, or by the id a provisioning client wrote: such people log in with it, too. */
function isKnownTo(external: External | null, { issuer, subject }: { issuer: string; subject?: string }): boolean {
  const provisioned = external?.scim?.externalId ?? null;
  if (provisioned !== null && (subject === undefined || provisioned === subject)) return true;
  return (external?.identities ?? []).some(
    (one) => one.issuer === issuer && (subject === undefined || one.subject === subject),
  );
}

function isMeant({ owner, session, environment }: KeyRecord, which: SessionsOf): boolean {
  if ("principal" in which) return owner === which.principal && (which.environments?.includes(environment) ?? true);
  if (session?.issuer !== which.issuer) return false;
  if (which.sid !== undefined && session.sid !== which.sid) return false;
  return which.subject === undefined || session.subject === which.subject;
}
