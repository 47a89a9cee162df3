/**
 * Keys that requests and responses contain: each is judged by its secret, recorded without it, and, where policy asks for
 * it, treated as leaked. Recording never delays the request, and is bounded for each caller.
 */
import { parseKeyText } from "@sallyport/protocol";
import type { TrafficLeakAction } from "@sallyport/protocol";
import type { LedgerEvent } from "../audit/event.ts";
import type { Changes } from "../changes/change.ts";
import type { Clock } from "../kernel/clock.ts";
import { judgeKey } from "./found-leak.ts";
import type { FoundLeak, FoundLeakPorts } from "./found-leak.ts";
import type { LeakDesk } from "./leak-desk.ts";

export interface TrafficLeaksPorts extends FoundLeakPorts {
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly changes: Changes;
  readonly desk: Pick<LeakDesk, "take">;
  /** What the policy of an environment says. */
  readonly policy: (environment: string) => TrafficLeakAction;
  readonly fault: (cause: unknown) => void;
}

/** Where a key was found. */
export interface LeakyTraffic {
  /** The caller's. */
  readonly environment: string;
  readonly caller: string;
  readonly principal: string | null;
  readonly request: string;
  readonly address: string | null;
  readonly where: "request" | "response";
}

/** Records of one caller in this time; further ones are counted in the next. */
const RECORDS = 10;
const WINDOW_MS = 60_000;
const CALLERS_MAX = 4_096;

interface CallerRecords {
  endsMs: number;
  /** Keys that were recorded in this window, each once. */
  readonly ids: Set<string>;
  coalesced: number;
}

export class TrafficLeaks {
  readonly #ports: TrafficLeaksPorts;
  readonly #callers = new Map<string, CallerRecords>();
  #work: Promise<unknown> = Promise.resolve();

  constructor(ports: TrafficLeaksPorts) {
    this.#ports = ports;
  }

  actionIn(environment: string): TrafficLeakAction {
    return this.#ports.policy(environment);
  }

  /** `text`: exactly one credential. Returns at once. */
  note(text: string, traffic: LeakyTraffic): void {
    const said = parseKeyText(text);
    if (!said) return;
    const found = judgeKey(this.#ports, text, said);
    // What was proven is acted on however often it comes: the desk does it once.
    const isLeaked = found.verdict === "working" && this.#ports.policy(found.key.environment) === "quarantine";
    const coalesced = this.#admit(traffic, said.id);
    if (coalesced === undefined && !isLeaked) return;
    const event = coalesced === undefined ? undefined : this.#eventOf(found, said.id, traffic, coalesced);
    this.#work = this.#work
      .then(() => this.#act(event, isLeaked ? found : undefined, traffic))
      .catch(this.#ports.fault);
  }

  /** Resolves when what was noted is recorded. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** How many were not recorded since the last record; undefined where this one is not recorded either. */
  #admit({ environment, caller }: LeakyTraffic, id: string): number | undefined {
    const nowMs = this.#ports.clock.monotonic();
    const name = `${environment}/${caller}`;
    let records = this.#callers.get(name);
    if (!records || records.endsMs <= nowMs) {
      this.#callers.delete(name);
      if (this.#callers.size >= CALLERS_MAX) this.#callers.delete(this.#callers.keys().next().value!);
      records = { endsMs: nowMs + WINDOW_MS, ids: new Set(), coalesced: records?.coalesced ?? 0 };
      this.#callers.set(name, records);
    }
    if (records.ids.has(id) || records.ids.size >= RECORDS) {
      records.coalesced++;
      return undefined;
    }
    records.ids.add(id);
    const { coalesced } = records;
    records.coalesced = 0;
    return coalesced;
  }

  /** Recorded where the key is, if it is one: its owner has to act. */
  #eventOf(found: FoundLeak, id: string, traffic: LeakyTraffic, coalesced: number): LedgerEvent {
    const { environment, caller, principal, request, address, where } = traffic;
    const leaked = "key" in found ? found.key : undefined;
    return {
      type: "leak.in_traffic",
      at: this.#ports.clock.now(),
      environment: leaked?.environment ?? environment,
      actor: `key:${caller}`,
      fields: {
        key: id,
        ...(leaked ? { name: leaked.name, owner: leaked.owner } : {}),
        verdict: found.verdict,
        where,
        action: this.#ports.policy(environment),
        in_environment: environment,
        principal,
        request,
        coalesced,
        ...(address === null ? {} : { address }),
      },
    };
  }

  async #act(event: LedgerEvent | undefined, leaked: FoundLeak | undefined, traffic: LeakyTraffic): Promise<void> {
    const { changes, desk } = this.#ports;
    if (event) await changes.inTurn(() => changes.change({ operations: [], events: [event] }));
    if (!leaked) return;
    const witness = { actor: "gateway", sender: "traffic", message: null, address: traffic.address };
    await desk.take([{ found: leaked, url: null, source: traffic.where }], witness);
  }
}
