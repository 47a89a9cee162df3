/**
 * Every exchange that waits or runs. When policy, a key or a token changes, each is judged again against the current
 * snapshot, and a denial aborts it (R10). Expiry alone is not checked again: it is checked at admission.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { LiveRequestHandle } from "../limits/environment-activity.ts";
import type { Exchange } from "./exchange.ts";
import type { Judge } from "./judge.ts";

export class LiveExchanges {
  /**
   * A list, each knowing its place in it. Not a Set: one with constant additions and deletions is rebuilt now and then,
   * the old table points to the new, and once one is in the collector's old generation, every exchange after it is kept
   * until the next full collection (seen: 12 kB a request, and a tenth of all CPU).
   */
  readonly #live: Exchange[] = [];

  get size(): number {
    return this.#live.length;
  }

  add(exchange: Exchange): void {
    exchange.livePlace = this.#live.push(exchange) - 1;
  }

  /** For those who only look. */
  all(): readonly Exchange[] {
    return this.#live;
  }

  /** One that has a key; undefined where none of that id is live. */
  handleOf(id: string): LiveRequestHandle | undefined {
    const exchange = this.#live.find((one) => one.id === id);
    if (!exchange?.key) return undefined;
    const { key, endpoint, understood } = exchange;
    return {
      environment: key.environment,
      key: key.id,
      keyName: key.name,
      owner: key.owner,
      endpoint: endpoint?.id ?? "",
      model: understood?.model?.key ?? null,
      end() {
        if (exchange.livePlace < 0) return false;
        cutOne(exchange, refuse("request_ended"));
        return true;
      },
    };
  }

  /** Nothing where it is not live. The last one takes its place. */
  remove(exchange: Exchange): void {
    const place = exchange.livePlace;
    if (place < 0) return;
    exchange.livePlace = -1;
    const last = this.#live.pop()!;
    if (last === exchange) return;
    this.#live[place] = last;
    last.livePlace = place;
  }

  /**
   * Judges every live exchange again; returns how many were aborted. One that cannot be judged is aborted as well, and
   * does not prevent judging the others; then the first fault is thrown.
   */
  recheck(judge: Pick<Judge, "refuseNow">): number {
    let cut = 0;
    const faults: unknown[] = [];
    // Of a copy: an aborted exchange may be settled at once, which changes the list.
    for (const exchange of this.#live.slice()) {
      try {
        const refusal = judge.refuseNow(exchange);
        if (!refusal) continue;
        cut++;
        cutOne(exchange, refusal);
      } catch (fault) {
        faults.push(fault);
        cut++;
        cutOne(exchange, refuse("fault"));
      }
    }
    if (faults.length > 0)
      throw new Error("a request that waits or runs could not be judged again", { cause: faults[0] });
    return cut;
  }

  /** Keeps the time bounds of everything that waits or runs. */
  tick(nowMs: number): void {
    for (const exchange of this.#live.slice()) {
      // Waiting or running, its budgets are held for it.
      if (exchange.lease !== null) exchange.lease.touchedMs = nowMs;
      exchange.interruptible?.tick(nowMs);
    }
  }

  cutAll(refusal: Refusal): void {
    for (const exchange of this.#live.slice()) cutOne(exchange, refusal);
  }
}

/** Between two stages there is nothing to interrupt: the exchange is marked, and does not begin its work. */
function cutOne(exchange: Exchange, refusal: Refusal): void {
  if (exchange.interruptible) exchange.interruptible.cut(refusal);
  else exchange.cutBy = refusal;
}
