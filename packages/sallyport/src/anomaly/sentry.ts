/**
 * Anomaly detection in the gateway: records alerts and applies the policy's response for a limited time. Observing
 * takes a few microseconds and never waits; recording and responding come later, in the turn of changes.
 */
import type { AnomalyPolicy } from "../access/policy.ts";
import type { LedgerEvent } from "../audit/event.ts";
import type { Changes, Operation } from "../changes/change.ts";
import type { Clock } from "../kernel/clock.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { Restriction } from "../keys/restriction.ts";
import type { Restrictions } from "../keys/restrictions.ts";
import { alertKinds } from "./alert.ts";
import type { Alert, AlertFactor } from "./alert.ts";
import type { Observation } from "./observation.ts";
import { respond } from "./response.ts";
import type { Reach, Response } from "./response.ts";
import type { KeyWatch } from "./watch/key-watch.ts";

/** Why a key is suspended by this. */
export const SUSPENDED_FOR = "anomaly";
/** Alerts that are kept for classification. */
const ALERTS_MAX = 1_000;

export interface SentryPorts {
  readonly clock: Pick<Clock, "now">;
  readonly watch: KeyWatch;
  readonly policy: (environment: string) => AnomalyPolicy | undefined;
  readonly key: (environment: string, id: string) => KeyRecord | undefined;
  readonly isPerson: (owner: string) => boolean;
  readonly restrictions: Restrictions;
  readonly changes: Changes;
  readonly fault: (cause: unknown) => void;
}

/** Who classifies an alert, and how. */
export interface AlertAnswer {
  readonly alert: string;
  readonly actor: string;
  /** The address of the administrator, as in audit records; empty on the gateway host. */
  readonly from: { readonly address?: string };
  readonly verdict: "false_alarm" | "confirmed";
}

export class Sentry {
  readonly #ports: SentryPorts;
  readonly #alerts = new Map<string, Alert>();
  #work: Promise<unknown> = Promise.resolve();

  constructor(ports: SentryPorts) {
    this.#ports = ports;
  }

  see(observation: Observation): void {
    for (const alert of this.#ports.watch.see(observation)) this.#raise(alert);
  }

  /** Resolves when what was noticed so far is answered. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** Alerts that can be learned from, oldest first. */
  remembered(): readonly Alert[] {
    return [...this.#alerts.values()];
  }

  /** What was remembered before a restart. */
  remember(alerts: readonly Alert[]): void {
    for (const alert of alerts) this.#alerts.set(alert.id, alert);
  }

  /** An alert that is remembered; undefined when many came since. */
  alert(id: string): Alert | undefined {
    return this.#alerts.get(id);
  }

  /** Takes back what is over. */
  async endDue(): Promise<void> {
    const now = this.#ports.clock.now();
    for (const restriction of this.#ports.restrictions.all())
      // A leaked key does not work again because time passed (leaks/leak-desk.ts).
      if (restriction.until <= now && restriction.kind !== "key_leaked")
        await this.#end(restriction, "over", "gateway");
  }

  /**
   * Applies an administrator's classification. A false alarm updates the baseline and undoes the response; a confirmed
   * alert makes a suspension permanent. Returns whether there was anything to undo or to learn; the classification is
   * recorded in any case.
   */
  async answer({ alert: id, actor, from, verdict }: AlertAnswer): Promise<boolean> {
    const alert = this.#alerts.get(id);
    const held = this.#ports.restrictions.get(id);
    if (verdict === "false_alarm" && alert) this.#ports.watch.falseAlarm(alert);
    if (held) await this.#end(held, verdict, actor, from);
    else {
      const [environment = "", key = ""] = id.split("/");
      const fields = { alert: id, key, verdict, ...from };
      const at = this.#ports.clock.now();
      await this.#ports.changes.inTurn(() =>
        this.#write([], [{ type: "anomaly.answered", at, environment, actor, fields }]),
      );
    }
    return alert !== undefined || held !== undefined;
  }

  #raise(alert: Alert): void {
    this.#alerts.delete(alert.id);
    this.#alerts.set(alert.id, alert);
    if (this.#alerts.size > ALERTS_MAX) this.#alerts.delete(this.#alerts.keys().next().value!);
    this.#work = this.#work.then(() => this.#act(alert)).catch(this.#ports.fault);
  }

  async #act(alert: Alert): Promise<void> {
    const { environment, key: id } = alert;
    await this.#ports.changes.inTurn(async () => {
      const policy = this.#ports.policy(environment);
      // An environment that is gone has no keys that work.
      if (!policy) return;
      const key = this.#ports.key(environment, id);
      const known = this.#networksBefore(alert);
      const answer = respond(alert, policy, reachOf(key, known, this.#ports.isPerson));
      const { operations, events } = this.#done(alert, answer, key, known);
      const type = answer.action === "note" ? "anomaly.noted" : "anomaly.detected";
      const at = this.#ports.clock.now();
      const said: LedgerEvent = { type, at, environment, actor: "gateway", fields: alertFields(alert, answer) };
      await this.#ports.changes.change({ operations, events: [said, ...events] });
    });
  }

  #done(alert: Alert, { action, until }: Response, key: KeyRecord | undefined, known: readonly string[]) {
    const operations: Operation[] = [];
    const events: LedgerEvent[] = [];
    const { environment, id, kind } = alert;
    if (until === null || key?.state !== "active") return { operations, events };
    const at = this.#ports.clock.now();
    // From when it is done: an alert that waited behind others has its whole time.
    const restriction = {
      id,
      environment,
      key: key.id,
      kind,
      action,
      networks: known,
      at,
      until: at + (until - alert.at),
    };
    operations.push({ op: "restriction.put", restriction });
    if (action === "suspend") {
      operations.push({ op: "key.state", environment, id: key.id, state: "suspended", reason: SUSPENDED_FOR });
      const fields = {
        key: key.id,
        principal: key.owner,
        reason: SUSPENDED_FOR,
        alert: id,
        says: alertKinds[kind].says,
      };
      events.push({ type: "key.suspended", at, environment, actor: "gateway", fields });
    }
    return { operations, events };
  }

  /** What is known of the key, without what the alert calls new. */
  #networksBefore({ environment, key, factors }: Alert): readonly string[] {
    const strange = new Set(factors.filter(({ name }) => name === "network").map(({ observed }) => String(observed)));
    return this.#ports.watch
      .networks(environment, key, this.#ports.clock.now())
      .filter((network) => !strange.has(network));
  }

  async #end(
    restriction: Restriction,
    why: "over" | AlertAnswer["verdict"],
    actor: string,
    from: AlertAnswer["from"] = {},
  ): Promise<void> {
    const { id, environment, key, action } = restriction;
    await this.#ports.changes.inTurn(async () => {
      if (!this.#ports.restrictions.of(environment, key).some((one) => one.id === id)) return;
      const at = this.#ports.clock.now();
      const operations: Operation[] = [{ op: "restriction.remove", id }];
      const fields = { alert: id, key, action, reason: why, ...from };
      const events: LedgerEvent[] = [{ type: "anomaly.response_ended", at, environment, actor, fields }];
      const held = this.#ports.key(environment, key);
      const isOurs = held?.state === "suspended" && held.reason === SUSPENDED_FOR;
      const isLast = !this.#ports.restrictions
        .of(environment, key)
        .some((one) => one.id !== id && one.action === "suspend");
      if (action === "suspend" && why !== "confirmed" && isOurs && isLast) {
        operations.push({ op: "key.state", environment, id: key, state: "active", reason: null });
        events.push({ type: "key.resumed", at, environment, actor, fields: { key, reason: why, alert: id } });
      }
      await this.#write(operations, events);
    });
  }

  async #write(operations: readonly Operation[], [first, ...rest]: readonly LedgerEvent[]): Promise<void> {
    if (first) await this.#ports.changes.change({ operations, events: [first, ...rest] });
  }
}

function reachOf(key: KeyRecord | undefined, networks: readonly string[], isPerson: (owner: string) => boolean): Reach {
  return {
    networks,
    hasSigner: key?.signers.some(({ use }) => use === "request") ?? false,
    hasPerson: key !== undefined && key.owner !== null && isPerson(key.owner),
  };
}

const USUAL_TOLD = 20;
const TEXT_MAX = 300;

function alertFields(alert: Alert, response: Pick<Response, "action" | "held" | "until">): LedgerEvent["fields"] {
  const { kind, key, owner, id, isDeterministic, signals, p, factors, evidence } = alert;
  return {
    alert: id,
    key,
    principal: owner,
    kind,
    says: alertKinds[kind].says,
    is_fact: isDeterministic,
    signals,
    p: p === null ? null : Number(p.toPrecision(3)),
    factors: factors.map(factorText),
    action: response.action,
    held: response.held,
    until: response.until,
    requests: evidence.map(({ request }) => request),
  };
}

/** `network: 203.0.113.0/24 (usual: 10.0.0.0/24), p 0.001` */
function factorText({ name, observed, usual, p }: AlertFactor): string {
  const known = usual.length > 0 ? ` (usual: ${usual.slice(0, USUAL_TOLD).join(", ")})` : "";
  return `${name}: ${observed}${known}${p === null ? "" : `, p ${p.toPrecision(1)}`}`.slice(0, TEXT_MAX);
}
