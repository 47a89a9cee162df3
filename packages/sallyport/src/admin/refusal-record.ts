/**
 * Records denied attempts at the admin API, at most one per second: a flood of bad credentials must not fill the disk
 * or delay a revocation. The next record contains the count of those in between.
 */
import type { Problem } from "@sallyport/protocol";
import { DoorProblem } from "./caller.ts";
import type { AdminPorts } from "./ports.ts";

const INTERVAL_MS = 1_000;

export interface RefusedAttempt {
  readonly problem: Problem;
  /** The route's name in the contract. */
  readonly route: string;
  /** As recorded, or `unauthenticated`. */
  readonly actor: string;
  readonly address: string | null;
}

export class RefusalRecord {
  readonly #ports: Pick<AdminPorts, "clock" | "changes">;
  #lastMs = -Infinity;
  #coalesced = 0;

  constructor(ports: Pick<AdminPorts, "clock" | "changes">) {
    this.#ports = ports;
  }

  /** Never rejects: a denial that cannot be recorded is a denial all the same. */
  async note({ problem, route, actor, address }: RefusedAttempt): Promise<void> {
    const { clock, changes } = this.#ports;
    const nowMs = clock.monotonic();
    if (nowMs - this.#lastMs < INTERVAL_MS) {
      this.#coalesced++;
      return;
    }
    this.#lastMs = nowMs;
    const coalesced = this.#coalesced;
    this.#coalesced = 0;
    const signal = problem instanceof DoorProblem ? problem.signal : null;
    const fields = { code: problem.code, signal, route, coalesced, ...(address === null ? {} : { address }) };
    try {
      await changes.inTurn(() =>
        changes.change({
          operations: [],
          events: [{ type: "admin.refused", at: clock.now(), environment: "system", actor, fields }],
        }),
      );
    } catch {
      this.#coalesced += coalesced + 1;
    }
  }
}
