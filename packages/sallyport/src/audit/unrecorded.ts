/**
 * Inference that was served without a record, in environments whose policy prefers that to a denial while the ledger
 * cannot be written: counted, and recorded as a gap as soon as it can be written again. A kill before that loses the
 * count; the node's silence shows in the ledger then. Without a writer nothing is served unrecorded: what cannot be
 * revoked must not run.
 */
import { encodeEvent } from "@sallyport/ledger";
import type { Environment } from "../access/policy.ts";
import type { Clock } from "../kernel/clock.ts";
import type { LedgerAppender } from "./recorder.ts";

export interface UnrecordedPorts {
  readonly ledger: Pick<LedgerAppender, "append" | "whenDurable"> & { takesChanges(): boolean };
  readonly clock: Pick<Clock, "now">;
  /** The environments as policy has them now. */
  readonly environments: () => ReadonlyMap<string, Environment>;
  /** A gap begins. */
  readonly onGap: (environment: string) => void;
}

/** Most keys a gap names. */
export const GAP_KEYS_MAX = 32;

interface Gap {
  requests: number;
  /** Epoch ms of the first and the last request. */
  from: number;
  to: number;
  readonly keys: Set<string>;
  /** True when more keys were in it than it names. */
  hasMoreKeys: boolean;
}

export class UnrecordedRequests {
  readonly #ports: UnrecordedPorts;
  /** By environment; one that is being written is out of it. */
  readonly #gaps = new Map<string, Gap>();
  #total = 0;

  constructor(ports: UnrecordedPorts) {
    this.#ports = ports;
  }

  /** Requests since the start. */
  get total(): number {
    return this.#total;
  }

  get hasGap(): boolean {
    return this.#gaps.size > 0;
  }

  /** Whether a request that cannot be recorded is served all the same. It is counted then. */
  take(environment: string, key: string): boolean {
    if (!this.#isAllowed(environment)) return false;
    const now = this.#ports.clock.now();
    this.#total++;
    this.#add(environment, { requests: 1, from: now, to: now, keys: new Set([key]), hasMoreKeys: false });
    return true;
  }

  /** True if no existing environment denies inference while the ledger cannot be written. */
  areAllServed(): boolean {
    const names = [...this.#ports.environments().keys()];
    return names.length > 0 && names.every((name) => this.#isAllowed(name));
  }

  /** Writes the gaps there are, if the ledger takes them. */
  flush(): void {
    // Those of now: what cannot be written is put back.
    const gaps = [...this.#gaps];
    for (const [environment, gap] of gaps) {
      const ticket = this.#ports.ledger.append(encodeGap(environment, gap, this.#ports.clock.now()), false);
      if (ticket === undefined) return;
      this.#gaps.delete(environment);
      this.#ports.ledger.whenDurable(ticket, (isOnDisk) => {
        if (!isOnDisk) this.#add(environment, gap);
      });
    }
  }

  #isAllowed(environment: string): boolean {
    const policy = this.#ports.environments().get(environment)?.inferenceRecording;
    return policy === "fail_open_with_gap_record" && this.#ports.ledger.takesChanges();
  }

  #add(environment: string, more: Gap): void {
    const gap = this.#gaps.get(environment);
    if (!gap) {
      this.#gaps.set(environment, more);
      return this.#ports.onGap(environment);
    }
    gap.requests += more.requests;
    gap.from = Math.min(gap.from, more.from);
    gap.to = Math.max(gap.to, more.to);
    gap.hasMoreKeys ||= more.hasMoreKeys;
    for (const key of more.keys) {
      if (gap.keys.size < GAP_KEYS_MAX) gap.keys.add(key);
      else if (!gap.keys.has(key)) gap.hasMoreKeys = true;
    }
  }
}

function encodeGap(environment: string, { requests, from, to, keys, hasMoreKeys }: Gap, at: number): string {
  return encodeEvent({
    type: "ledger.gap",
    at,
    environment,
    actor: "gateway",
    fields: { requests, since: from, until: to, keys: [...keys].toSorted(), has_more_keys: hasMoreKeys },
  });
}
