/** Leaks, joined: what judges a text, what is done about a key, and the senders that the settings name. */
import { isRefusal, refuse, SYSTEM_REALM } from "@sallyport/protocol";
import type { KeyText } from "@sallyport/protocol";
import { LEAKED_DEFAULT } from "../access/default-environment.ts";
import { ACTIONS, possibleAction } from "../anomaly/response.ts";
import type { LeakSenderSettings } from "../config/identity-file.ts";
import { newIncidentId, openIncidentOf } from "../incident/incident.ts";
import { sendBounded } from "../kernel/bounded-request.ts";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import { stateRefusal } from "../keys/directory.ts";
import type { KeyRecord } from "../keys/key.ts";
import { findByPathSecret } from "../keys/path-secret.ts";
import type { FoundLeakPorts } from "../leaks/found-leak.ts";
import { GithubKeys, readGithubKey } from "../leaks/github-signature.ts";
import { KnownSenders } from "../leaks/known-senders.ts";
import { LeakDesk } from "../leaks/leak-desk.ts";
import type { LeakAnswer } from "../leaks/leak-desk.ts";
import { TrafficLeaks } from "../leaks/traffic-leaks.ts";
import type { Core } from "./core.ts";
import { readSecret } from "./read-secret.ts";

/** A key that was not used for so long has no client that a suspension would stop. */
const IN_USE_MS = 30 * 86_400_000;
const DUE_MS = 5_000;

/** Whose secret a text is. It costs what authenticating costs, and decides nothing. */
export function makeLeakHolder({ keys, peppers, clock }: Pick<Core, "keys" | "peppers" | "clock">): FoundLeakPorts {
  return {
    holderOf(text, said) {
      if (said.kind === "path") {
        const key = findByPathSecret(text, (environment, id) => keys.find(environment, id), peppers);
        return isRefusal(key) ? undefined : { key, isOver: false };
      }
      const found = said.kind === "api" || said.kind === "admin" ? keys.verify(text, said) : undefined;
      if (!found || isOfOtherRealm(said)) return undefined;
      const refusal = stateRefusal(found.key, found.secret, clock.now());
      return { key: found.key, isOver: refusal !== undefined && refusal.code !== refuse("key_suspended").code };
    },
  };
}

function isOfOtherRealm({ kind, environment }: KeyText): boolean {
  return (kind === "admin") !== (environment === SYSTEM_REALM);
}

/** `networksOf`: where anomaly detection knows the key from. */
export function makeLeakDesk(core: Core, networksOf: (key: KeyRecord) => readonly string[]): LeakDesk {
  const { clock, changes, keys, snapshot, uses, restrictions, incidents, audit } = core;
  const answerTo = (key: KeyRecord): LeakAnswer => {
    const { environment, id, owner } = key;
    const policy = snapshot().environments.get(environment)?.anomalies;
    const asked = policy?.actions.key_leaked ?? LEAKED_DEFAULT;
    const networks = networksOf(key);
    const isNarrowing = ACTIONS.indexOf(asked) > ACTIONS.indexOf("notify");
    const isInUse = uses.of(environment, id).some(({ usedAt }) => usedAt > clock.now() - IN_USE_MS);
    if (isNarrowing && !isInUse) return { action: "suspend", networks };
    const hasSigner = key.signers.some(({ use }) => use === "request");
    const hasPerson = owner !== null && snapshot().principals.get(owner)?.kind === "person";
    return { action: possibleAction(asked, { networks, hasSigner, hasPerson }), networks };
  };
  return new LeakDesk({
    clock,
    changes,
    key: (environment, id) => keys.find(environment, id),
    answerTo,
    openIncident: (key) => openIncidentOf(incidents.list(), key),
    newIncident: ({ environment, id, name, owner, createdAt }, openedBy, reason, openedAt) => ({
      id: newIncidentId(),
      environment,
      key: id,
      keyName: name,
      owner,
      since: createdAt,
      reason,
      openedAt,
      openedBy,
      closed: null,
    }),
    putIncident: (incident) => incidents.put(incident),
    async wasFalseAlarm({ environment, id }, message) {
      // Only a key whose incident was closed works again, and only then an old message could stop it once more.
      const isClosed = incidents
        .list()
        .some((one) => one.key === id && one.environment === environment && one.closed?.outcome === "false_alarm");
      if (!isClosed) return false;
      const records = await audit.search({ type: "leak.reported", environment, key: id, limit: 100, order: "newest" });
      return records.some(({ fields }) => fields["message"] === message);
    },
    restrictions: () => restrictions.all(),
  });
}

/** Keys in requests and responses. */
export function makeTrafficLeaks(core: Core, desk: LeakDesk, log: Log): TrafficLeaks {
  const { clock, changes, snapshot } = core;
  return new TrafficLeaks({
    ...makeLeakHolder(core),
    clock,
    changes,
    desk,
    policy: (environment) => snapshot().environments.get(environment)?.leaks?.traffic ?? "notify",
    fault: (cause) => log.error({ cause: causeOf(cause) }, "a key in traffic could not be recorded"),
  });
}

/** Opens an incident for each canary key that is used. */
export function openCanaryIncidents({ onEvents }: Pick<Core, "onEvents">, desk: LeakDesk, log: Log): void {
  onEvents((events) => {
    for (const { type, environment, fields } of events) {
      if (!type.startsWith("anomaly.") || fields["kind"] !== "decoy_used") continue;
      if (type !== "anomaly.detected" && type !== "anomaly.noted") continue;
      const seen = Array.isArray(fields["factors"]) ? fields["factors"].join("; ") : "";
      // In a separate turn: this one is not over.
      void desk
        .canaryUsed(environment, String(fields["key"]), seen)
        .catch((cause: unknown) =>
          log.error({ cause: causeOf(cause) }, "no incident could be opened for a canary key"),
        );
    }
  });
}

/** Suspends what was narrowed long enough. Returns a function that stops it. */
export function careForLeaks(desk: LeakDesk, log: Log): () => void {
  const endDue = (): void =>
    void desk.endDue().catch((cause: unknown) => log.error({ cause: causeOf(cause) }, "a leaked key could not be suspended; it is tried again")); // prettier-ignore
  const due = setInterval(endDue, DUE_MS).unref();
  return () => clearInterval(due);
}

/** Throws `store_unavailable` where a secret cannot be read. */
export function openLeakSenders(settings: LeakSenderSettings, { clock }: Pick<Core, "clock">): KnownSenders {
  const { github, webhooks } = settings;
  const pinned = new Map((github?.keys ?? []).map(({ id, pem }) => [id, readGithubKey(pem)!] as const));
  const url = github?.url ?? null;
  const read = async (): Promise<string> => {
    const answer = await sendBounded({ method: "GET", url: url! });
    if (answer.status !== 200) throw new Error(`GitHub answered ${answer.status}`);
    return answer.text;
  };
  return new KnownSenders({
    clock,
    github: github && new GithubKeys({ clock, pinned, read: url === null ? null : read }),
    webhooks: webhooks.map(({ name, secret }) => ({
      name,
      secret: readSecret(secret, `the leak reports' secret of ${name}`),
    })),
  });
}
