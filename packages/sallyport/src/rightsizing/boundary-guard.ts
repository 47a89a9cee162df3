/**
 * Watches the requests of keys that are right-sized. In a shadow it counts those that the boundary would have denied. Of a
 * boundary that is applied, the first denial that is due to the boundary alone takes it back, for as long as the guard
 * lasts. What is given back is what the key has without the boundary under the policy of that moment. A key that someone
 * may have stolen gets nothing back: not while anomaly detection restricts it, and not once a replaced secret was used.
 */
import type { Rightsizings } from "../access/rightsizing/rightsizings.ts";
import { EXAMPLES_MAX } from "../access/rightsizing/rightsizing.ts";
import type { BoundaryDenial, Rightsizing } from "../access/rightsizing/rightsizing.ts";
import { isWithinBoundary } from "../access/rightsizing/boundary.ts";
import type { Demand } from "../access/demand.ts";
import type { LedgerEvent } from "../audit/event.ts";
import type { Changes } from "../changes/change.ts";
import type { KeyRecord } from "../keys/key.ts";
import { demandText } from "./decision-replay.ts";

/** A request that has ended. */
export interface EndedRequest {
  readonly environment: string;
  readonly key: string;
  /** Arrival, epoch ms. */
  readonly at: number;
  readonly id: string;
  /** What it demanded and relied on; of a request that was not read, nothing. */
  readonly demands: readonly Pick<Demand, "permission" | "model">[];
  readonly isAdmitted: boolean;
  /** Its denial is one of permissions. */
  readonly isDenied: boolean;
  /** What it asked for, in words. */
  readonly asked: string;
  /** Decided with the present policy: it is allowed without the boundary, and denied with it. */
  readonly isDeniedByBoundaryAlone: () => boolean;
}

export interface GuardPorts {
  readonly now: () => number;
  readonly rightsizings: Pick<Rightsizings, "openOf">;
  readonly key: (environment: string, id: string) => KeyRecord | undefined;
  /** Anomaly detection restricts the key now. */
  readonly isRestricted: (environment: string, id: string) => boolean;
  readonly changes: Changes;
  readonly fault: (cause: unknown) => void;
}

/** What a shadow has seen since it was last written. */
interface Pending {
  compared: number;
  differences: number;
  examples: BoundaryDenial[];
  writtenAt: number;
}

/** Between two writes of a shadow: its first difference is written at once. */
const WRITE_MS = 3_600_000;

export class BoundaryGuard {
  readonly #ports: GuardPorts;
  /** By the record of the shadow, which is another one with each write. */
  readonly #pending = new Map<string, Pending>();
  readonly #takingBack = new Set<Rightsizing>();
  #work: Promise<unknown> = Promise.resolve();

  constructor(ports: GuardPorts) {
    this.#ports = ports;
  }

  see(record: Rightsizing, request: EndedRequest): void {
    if (record.state === "shadow") this.#compare(record, request);
    else if (request.isDenied) this.#judge(record, request);
  }

  /** Resolves when what was seen so far is written. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** Writes what shadows have counted, where it is due. `isClosing`: all of it. */
  writeDue(isClosing = false): void {
    const now = this.#ports.now();
    for (const [id, pending] of this.#pending) {
      const [environment = "", key = ""] = id.split("/");
      const record = this.#ports.rightsizings.openOf(environment, key);
      if (record?.state !== "shadow") this.#pending.delete(id);
      else if (isClosing || now >= pending.writtenAt + WRITE_MS || now >= record.until) this.#write(record, pending);
    }
  }

  #compare(record: Rightsizing, { at, id, demands, isAdmitted }: EndedRequest): void {
    if (!isAdmitted || at >= record.until) return;
    const name = `${record.environment}/${record.key}`;
    let pending = this.#pending.get(name);
    if (!pending)
      this.#pending.set(name, (pending = { compared: 0, differences: 0, examples: [], writtenAt: this.#ports.now() }));
    pending.compared++;
    if (isWithinBoundary(record.boundary, demands)) return;
    pending.differences++;
    const lost = demands.find((demand) => !isWithinBoundary(record.boundary, [demand]));
    if (lost && pending.examples.length < EXAMPLES_MAX)
      pending.examples.push({ at, request: id, demanded: demandText(lost) });
    if (record.differences === 0 && pending.differences === 1) this.#write(record, pending);
  }

  #write(record: Rightsizing, pending: Pending): void {
    if (pending.compared === 0) return;
    pending.writtenAt = this.#ports.now();
    this.#then(async () => {
      // Another shadow may have begun meanwhile, or the boundary may be applied.
      const present = this.#ports.rightsizings.openOf(record.environment, record.key);
      if (present?.state !== "shadow" || present.at !== record.at) return;
      const { compared, differences, examples } = pending;
      Object.assign(pending, { compared: 0, differences: 0, examples: [] });
      const next: Rightsizing = {
        ...present,
        compared: present.compared + compared,
        differences: present.differences + differences,
        examples: [...present.examples, ...examples].slice(0, EXAMPLES_MAX),
      };
      const says = { compared: next.compared, differences: next.differences };
      await this.#change(next, "rightsizing.compared", { ...says, examples: examplesText(next.examples) });
    });
  }

  #judge(record: Rightsizing, request: EndedRequest): void {
    if (request.at >= record.until || this.#takingBack.has(record) || !request.isDeniedByBoundaryAlone()) return;
    this.#takingBack.add(record);
    this.#then(async () => {
      try {
        await this.#takeBack(record, request);
      } finally {
        this.#takingBack.delete(record);
      }
    });
  }

  async #takeBack(record: Rightsizing, request: EndedRequest): Promise<void> {
    const { environment, key: id } = record;
    const key = this.#ports.key(environment, id);
    const isTheirs = this.#ports.rightsizings.openOf(environment, id) === record;
    // Policy and key may have changed since the request was denied.
    if (!isTheirs || key?.state !== "active" || !request.isDeniedByBoundaryAlone()) return;
    if (key.frozenAt !== null || this.#ports.isRestricted(environment, id)) return;
    const at = this.#ports.now();
    const denial = { at: request.at, request: request.id, demanded: request.asked };
    const next: Rightsizing = {
      ...record,
      state: "ended",
      differences: record.differences + 1,
      examples: [...record.examples.slice(0, EXAMPLES_MAX - 1), denial],
      end: { why: "taken_back", by: "gateway", at },
    };
    const reason = `request ${request.id} was denied ${request.asked} by the boundary alone`;
    await this.#change(next, "rightsizing.taken_back", { name: key.name, owner: key.owner, reason });
  }

  async #change(
    rightsizing: Rightsizing,
    type: "rightsizing.compared" | "rightsizing.taken_back",
    fields: LedgerEvent["fields"],
  ): Promise<void> {
    const { environment, key } = rightsizing;
    const event = { type, at: this.#ports.now(), environment, actor: "gateway", fields: { key, ...fields } };
    await this.#ports.changes.change({ operations: [{ op: "rightsizing.put", rightsizing }], events: [event] });
  }

  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(() => this.#ports.changes.inTurn(work)).catch(this.#ports.fault);
  }
}

export function examplesText(examples: readonly BoundaryDenial[]): readonly string[] {
  return examples.map(({ request, demanded }) => `${request}: ${demanded}`);
}
