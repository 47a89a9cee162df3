/**
 * Acts on leaks. A key whose secret was found is stopped as policy says, an incident is opened for it, and all of it is one
 * change with its records: a message is acted on whole or not at all. What proves nothing is recorded, and nothing else.
 */
import { SYSTEM_REALM } from "@sallyport/protocol";
import type { AlertAction } from "@sallyport/protocol";
import type { LedgerEvent } from "../audit/event.ts";
import type { Changes, Operation } from "../changes/change.ts";
import type { Incident } from "../incident/incident.ts";
import type { Clock } from "../kernel/clock.ts";
import { nextRound } from "../kernel/long-work.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { Restriction } from "../keys/restriction.ts";
import type { FoundLeak } from "./found-leak.ts";

/** What is done about a leaked key, as policy, its networks and its use say. */
export interface LeakAnswer {
  readonly action: AlertAction;
  /** Of `networks`: where the key is known from (CIDR). */
  readonly networks: readonly string[];
}

export interface LeakDeskPorts {
  readonly clock: Pick<Clock, "now">;
  readonly changes: Changes;
  /** The key as it is now. */
  readonly key: (environment: string, id: string) => KeyRecord | undefined;
  readonly answerTo: (key: KeyRecord) => LeakAnswer;
  readonly openIncident: (key: KeyRecord) => Incident | undefined;
  readonly newIncident: (key: KeyRecord, by: string, reason: string, now: number) => Incident;
  readonly putIncident: (incident: Incident) => void;
  /** An administrator closed an incident of the key as a false alarm after this very message. */
  readonly wasFalseAlarm: (key: KeyRecord, message: string) => Promise<boolean>;
  readonly restrictions: () => readonly Restriction[];
}

/** Who says that keys leaked. */
export interface LeakWitness {
  /** As recorded: `leaks:github`, `key:<id>`, `gateway`. */
  readonly actor: string;
  readonly sender: string;
  /** Digest of the message; null for what is no message. */
  readonly message: string | null;
  readonly address: string | null;
}

export interface Sighting {
  readonly found: FoundLeak;
  readonly url: string | null;
  readonly source: string | null;
}

export interface HandledLeak {
  readonly verdict: FoundLeak["verdict"];
  /** Null where it is no key. */
  readonly key: string | null;
  readonly environment: string | null;
  /** What was done about the key; `none` where nothing was, or it had been stopped before. */
  readonly action: AlertAction | "revoke" | "none";
  readonly incident: string | null;
}

export interface LeakReceipt {
  /** Number of the last record in the audit log that the message left; undefined where nothing is stored. */
  readonly seq: number | undefined;
  readonly leaks: readonly HandledLeak[];
}

/** The reason that stands on an admin key that was revoked because it leaked. */
export const LEAKED_REASON = "leaked";
/** A key that was narrowed is suspended after this, unless its incident is closed before. */
export const NARROWED_MS = 24 * 3_600_000;
const IDS_TOLD = 20;

export class LeakDesk {
  readonly #ports: LeakDeskPorts;

  constructor(ports: LeakDeskPorts) {
    this.#ports = ports;
  }

  /** Throws `store_unavailable`: then nothing was done. */
  async take(sightings: readonly Sighting[], witness: LeakWitness): Promise<LeakReceipt> {
    const { changes, wasFalseAlarm } = this.#ports;
    const working = new Map<string, Sighting>();
    for (const sighting of sightings) {
      const { found } = sighting;
      if (found.verdict === "working") working.set(`${found.key.environment}/${found.key.id}`, sighting);
    }
    const replayed = new Set<string>();
    if (witness.message !== null)
      for (const [name, { found }] of working)
        if ("key" in found && (await wasFalseAlarm(found.key, witness.message))) replayed.add(name);
    return changes.inTurn(async () => {
      const work = new OpenMessage(this.#ports, witness);
      for (const [name, sighting] of working) work.leaked(sighting, replayed.has(name));
      for (const { found } of sightings) if (found.verdict !== "working") work.unproven(found);
      const [first, ...rest] = work.endedEvents();
      if (!first) return { seq: undefined, leaks: work.handled };
      const { seq } = await changes.change({ operations: work.operations, events: [first, ...rest] });
      // Each is a separate file on the disk: requests go first in between.
      for (const incident of work.incidents) {
        this.#ports.putIncident(incident);
        await nextRound();
      }
      return { seq, leaks: work.handled };
    });
  }

  /** A canary key was used: opens one incident for it, however often it is used. Returns its id; undefined if one was open. */
  canaryUsed(environment: string, id: string, seen: string): Promise<string | undefined> {
    const { changes, clock, key: keyOf, openIncident, newIncident, putIncident } = this.#ports;
    return changes.inTurn(async () => {
      const key = keyOf(environment, id);
      if (!key?.isDecoy || openIncident(key)) return undefined;
      const at = clock.now();
      const incident = newIncident(key, "gateway", `the canary key was used (${seen})`.slice(0, 500), at);
      const { since, reason } = incident;
      const fields = { ...namesOf(key), incident: incident.id, since, reason };
      await changes.change({
        operations: [],
        events: [{ type: "incident.opened", at, environment, actor: "gateway", fields }],
      });
      putIncident(incident);
      return incident.id;
    });
  }

  /** Suspends keys that were narrowed long enough ago, and whose incident is still open. Returns how many. */
  async endDue(): Promise<number> {
    const now = this.#ports.clock.now();
    const due = this.#ports.restrictions().filter(({ kind, until }) => kind === "key_leaked" && until <= now);
    for (const restriction of due) await this.suspendNarrowed(restriction.id, "gateway");
    return due.length;
  }

  /** Replaces what a leak's restriction does by a suspension. False where there is no such restriction. */
  suspendNarrowed(id: string, actor: string): Promise<boolean> {
    const { changes, clock, key: keyOf, openIncident, restrictions } = this.#ports;
    return changes.inTurn(async () => {
      const restriction = restrictions().find((one) => one.id === id && one.kind === "key_leaked");
      if (!restriction) return false;
      const { environment, action } = restriction;
      const at = clock.now();
      const key = keyOf(environment, restriction.key);
      const operations: Operation[] = [{ op: "restriction.remove", id }];
      const ended = { alert: id, key: restriction.key, action, reason: "over" };
      const events: LedgerEvent[] = [];
      if (key?.state === "active") {
        operations.unshift({ op: "key.state", environment, id: key.id, state: "suspended", reason: INCIDENT });
        const fields = { ...namesOf(key), incident: openIncident(key)?.id ?? null, reason: INCIDENT };
        events.push({ type: "key.suspended", at, environment, actor, fields });
      }
      const last: LedgerEvent = { type: "anomaly.response_ended", at, environment, actor, fields: ended };
      await changes.change({ operations, events: [last, ...events] });
      return true;
    });
  }
}

const INCIDENT = "incident";

/** What one message does, put together in its turn. */
class OpenMessage {
  readonly operations: Operation[] = [];
  readonly incidents: Incident[] = [];
  readonly handled: HandledLeak[] = [];
  readonly #events: LedgerEvent[] = [];
  readonly #ports: LeakDeskPorts;
  readonly #witness: LeakWitness;
  readonly #now: number;
  readonly #unproven = new Map<FoundLeak["verdict"], number>();
  readonly #ids: string[] = [];

  constructor(ports: LeakDeskPorts, witness: LeakWitness) {
    this.#ports = ports;
    this.#witness = witness;
    this.#now = ports.clock.now();
  }

  leaked(sighting: Sighting, isFalseAlarm: boolean): void {
    const { found } = sighting;
    if (!("key" in found)) return;
    // As it is in this turn: another message may have stopped it.
    const key = this.#ports.key(found.key.environment, found.key.id);
    if (!key || key.state === "revoked") return this.unproven({ ...found, verdict: "over" });
    if (key.environment === SYSTEM_REALM) return this.#revokeAdminKey(key, sighting);
    const held = this.#ports.openIncident(key);
    if (isFalseAlarm || (held && (key.state === "suspended" || this.#isNarrowed(key))))
      return this.#record(key, sighting, "none", held?.id ?? null, isFalseAlarm);
    const { action, networks } = this.#ports.answerTo(key);
    const incident = held ?? this.#ports.newIncident(key, this.#witness.actor, this.#reason(sighting), this.#now);
    this.#record(key, sighting, action, incident.id, false);
    if (!held) {
      const { since, reason } = incident;
      this.#event("incident.opened", key, { incident: incident.id, since, reason });
      this.incidents.push(incident);
    }
    if (action === "suspend") this.#suspend(key, incident);
    else if (action !== "note" && action !== "notify") this.#narrow(key, action, networks);
  }

  unproven(found: FoundLeak): void {
    this.#unproven.set(found.verdict, (this.#unproven.get(found.verdict) ?? 0) + 1);
    const [key, environment] = "key" in found ? [found.key.id, found.key.environment] : "id" in found ? [found.id, found.environment] : [null, null]; // prettier-ignore
    if (key !== null && this.#ids.length < IDS_TOLD) this.#ids.push(key);
    this.handled.push({ verdict: found.verdict, key, environment, action: "none", incident: null });
  }

  /** All of them; what proved nothing is one record, however much it was. */
  endedEvents(): readonly LedgerEvent[] {
    if (this.#unproven.size === 0) return this.#events;
    const count = (verdict: FoundLeak["verdict"]): number => this.#unproven.get(verdict) ?? 0;
    const { actor } = this.#witness;
    const fields = {
      ...this.#said(),
      over: count("over"),
      unproven: count("unproven"),
      no_key: count("no_key"),
      keys: this.#ids,
    };
    return [...this.#events, { type: "leak.unproven", at: this.#now, environment: SYSTEM_REALM, actor, fields }];
  }

  #isNarrowed({ environment, id }: KeyRecord): boolean {
    return this.#ports
      .restrictions()
      .some((one) => one.kind === "key_leaked" && one.key === id && one.environment === environment);
  }

  #suspend(key: KeyRecord, { id: incident }: Incident): void {
    const { environment, id } = key;
    this.operations.push({ op: "key.state", environment, id, state: "suspended", reason: INCIDENT });
    if (key.state !== "suspended") this.#event("key.suspended", key, { incident, reason: INCIDENT });
  }

  #narrow(key: KeyRecord, action: AlertAction, networks: readonly string[]): void {
    const { environment, id } = key;
    const at = this.#now;
    const named = { id: `${environment}/${id}/key_leaked/${at}`, environment, key: id, kind: "key_leaked" as const };
    this.operations.push({
      op: "restriction.put",
      restriction: { ...named, action, networks, at, until: at + NARROWED_MS },
    });
  }

  /** Anyone who holds it can administer: no policy keeps it, and the gateway host can make another. */
  #revokeAdminKey(key: KeyRecord, sighting: Sighting): void {
    const { environment, id } = key;
    this.#record(key, sighting, "revoke", null, false);
    this.operations.push({ op: "key.state", environment, id, state: "revoked", reason: LEAKED_REASON });
    this.#event("admin_key.revoked", key, { reason: LEAKED_REASON });
  }

  #record(
    key: KeyRecord,
    { url, source }: Sighting,
    action: HandledLeak["action"],
    incident: string | null,
    isFalseAlarm: boolean,
  ): void {
    const { environment, id, state } = key;
    const reported = { ...this.#said(), url, source, action, incident, state };
    this.#event("leak.reported", key, isFalseAlarm ? { ...reported, is_known_false_alarm: true } : reported);
    this.handled.push({ verdict: "working", key: id, environment, action, incident });
  }

  #said(): LedgerEvent["fields"] {
    const { sender, message, address } = this.#witness;
    return { sender, ...(message === null ? {} : { message }), ...(address === null ? {} : { address }) };
  }

  #reason({ url }: Sighting): string {
    return `reported by ${this.#witness.sender}${url === null ? "" : `: ${url}`}`.slice(0, 500);
  }

  #event(type: LedgerEvent["type"], key: KeyRecord, fields: LedgerEvent["fields"]): void {
    const { actor } = this.#witness;
    const said = { ...namesOf(key), ...fields };
    this.#events.push({ type, at: this.#now, environment: key.environment, actor, fields: said });
  }
}

function namesOf({ id, name, owner }: KeyRecord): { key: string; name: string; owner: string | null } {
  return { key: id, name, owner };
}
