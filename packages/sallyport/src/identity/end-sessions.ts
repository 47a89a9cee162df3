/** Ends log-ins: revokes the keys that stand for them and aborts their requests. */
import type { Snapshot } from "../access/snapshot.ts";
import type { Changes, Operation } from "../changes/change.ts";
import type { LedgerEvent } from "../audit/event.ts";
import type { Clock } from "../kernel/clock.ts";
import { LongWork } from "../kernel/long-work.ts";
import type { KeyRecord } from "../keys/key.ts";

/** Which sessions are meant: all of a person, or by the names the identity provider has for them. */
export type SessionsOf =
  | { readonly principal: string; readonly environments?: readonly string[] }
  | { readonly issuer: string; readonly subject?: string; readonly sid?: string };

/** Returns the principals they belonged to. Called inside a turn: it takes none itself. */
export type EndSessions = (which: SessionsOf) => Promise<readonly string[]>;

export interface EndSessionsPorts {
  readonly clock: Pick<Clock, "now">;
  readonly snapshot: () => Pick<Snapshot, "principals">;
  readonly keysOf: (owner: string) => Iterable<KeyRecord>;
  readonly changes: Pick<Changes, "change">;
}

export function makeEndSessions(ports: EndSessionsPorts): EndSessions {
  return async function endSessions(which) {
    const meant: KeyRecord[] = [];
    // In the turn of changes nothing else changes while this rests.
    await new LongWork().each(ownersOf(ports, which), (owner) => {
      for (const key of ports.keysOf(owner)) if (isMeant(key, which)) meant.push(key);
    });
    const at = ports.clock.now();
    const operations = meant.map(({ environment, id }): Operation => ({
      op: "key.state",
      environment,
      id,
      state: "revoked",
      reason: "signed_out",
    }));
    const [first, ...rest] = meant.map(({ environment, id, name, owner }): LedgerEvent => {
      const fields = { key: id, name, owner, reason: "signed_out" };
      return { type: "key.revoked", at, environment, actor: "gateway", fields };
    });
    if (first) await ports.changes.change({ operations, events: [first, ...rest] });
    return [...new Set(meant.map(({ owner }) => owner ?? ""))];
  };
}

/**
 * People who could be meant: by what the provider said at a log-in, or by the id a provisioning client wrote, with which
 * people log in, too. A session's own name (`sid`) says nothing of whose it is, so then they are all of the provider's
 * and all provisioned people.
 */
function ownersOf({ snapshot }: EndSessionsPorts, which: SessionsOf): ReadonlySet<string> {
  if ("principal" in which) return new Set([which.principal]);
  const { principals } = snapshot();
  const { issuer, subject } = which;
  const found =
    subject === undefined
      ? [
          ...principals.called("issuer", issuer),
          ...[...principals.values()].filter(({ external }) => (external?.scim?.externalId ?? null) !== null),
        ]
      : [...principals.called("identity", issuer, subject), ...principals.called("external_id", subject)];
  return new Set(found.map(({ id }) => id));
}

function isMeant({ owner, session, state, environment }: KeyRecord, which: SessionsOf): boolean {
  if (session === null || state === "revoked") return false;
  if ("principal" in which) return owner === which.principal && (which.environments?.includes(environment) ?? true);
  if (session.issuer !== which.issuer) return false;
  if (which.sid !== undefined && session.sid !== which.sid) return false;
  return which.subject === undefined || session.subject === which.subject;
}
