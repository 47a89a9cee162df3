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

interface Shadow {
  readonly record: Rightsizing;
  readonly pending: Pending;
}

/** Shadows that are written in one change. */
const TOGETHER = 100;
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
    const due: Shadow[] = [];
    for (const [id, pending] of this.#pending) {
      const [environment = "", key = ""] = id.split("/");
      const record = this.#ports.rightsizings.openOf(environment, key);
      if (record?.state !== "shadow") this.#pending.delete(id);
      else if (isClosing || now >= pending.writtenAt + WRITE_MS || now >= record.until) due.push({ record, pending });
    }
    for (let from = 0; from < due.length; from += TOGETHER) this.#write(due.slice(from, from + TOGETHER));
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
    if (record.differences === 0 && pending.differences === 1) this.#write([{ record, pending }]);
  }

  /** In one change: every change has all running requests decided again. */
  #write(shadows: readonly Shadow[]): void {
    const now = this.#ports.now();
    for (const { pending } of shadows) pending.writtenAt = now;
    this.#then(async () => {
      const written = shadows.flatMap(({ record, pending }) => {
        // Another shadow may have begun meanwhile, or the boundary may be applied.
        const present = this.#ports.rightsizings.openOf(record.environment, record.key);
        return present?.state === "shadow" && present.at === record.at ? counted(present, pending) : [];
      });
      const [first, ...rest] = written.map((next) =>
        this.#event(next, "rightsizing.compared", {
          compared: next.compared,
          differences: next.differences,
          examples: examplesText(next.examples),
        }),
      );
      const operations = written.map((rightsizing) => ({ op: "rightsizing.put" as const, rightsizing }));
      if (first) await this.#ports.changes.change({ operations, events: [first, ...rest] });
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
    const event = this.#event(next, "rightsizing.taken_back", { name: key.name, owner: key.owner, reason });
    await this.#ports.changes.change({ operations: [{ op: "rightsizing.put", rightsizing: next }], events: [event] });
  }

  #event(
    { environment, key }: Rightsizing,
    type: "rightsizing.compared" | "rightsizing.taken_back",
    fields: LedgerEvent["fields"],
  ): LedgerEvent {
    return { type, at: this.#ports.now(), environment, actor: "gateway", fields: { key, ...fields } };
  }

  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(() => this.#ports.changes.inTurn(work)).catch(this.#ports.fault);
  }
}

/** The record with what was counted since, which begins at zero again; nothing where nothing was counted. */
function counted(present: Rightsizing, pending: Pending): readonly Rightsizing[] {
  const { compared, differences, examples } = pending;
  if (compared === 0) return [];
  Object.assign(pending, { compared: 0, differences: 0, examples: [] });
  return [
    {
      ...present,
      compared: present.compared + compared,
      differences: present.differences + differences,
      examples: [...present.examples, ...examples].slice(0, EXAMPLES_MAX),
    },
  ];
}

function examplesText(examples: readonly BoundaryDenial[]): readonly string[] {
  return examples.map(({ request, demanded }) => `${request}: ${demanded}`);
}
