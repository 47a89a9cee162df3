/**
 * Every exchange that waits or runs. When policy or a key changes, each is decided again against the present snapshot,
 * and a *no* cuts it (R10). Expiry alone is not asked again: it is checked at admission.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { decide } from "../access/decide.ts";
import type { Snapshot } from "../access/snapshot.ts";
import { keyRefusal } from "../keys/directory.ts";
import type { KeyDirectory } from "../keys/directory.ts";
import type { Exchange } from "./exchange.ts";
import { refuseBareKey } from "./bare-key.ts";
import { rightOf } from "./exchange-right.ts";

export class LiveExchanges {
  /**
   * A list, each knowing its place in it. Not a Set: one that is added to and deleted from all the time is made anew now
   * and then, the old table points to the new, and once one is in the collector's old generation every exchange after it
   * is kept until the next full collection (seen: 12 kB a request, and a tenth of all CPU).
   */
  readonly #live: Exchange[] = [];

  get size(): number {
    return this.#live.length;
  }

  add(exchange: Exchange): void {
    exchange.livePlace = this.#live.push(exchange) - 1;
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

  /** Decides every live exchange again; returns how many were cut. */
  recheck(snapshot: Snapshot, keys: KeyDirectory): number {
    let cut = 0;
    // Of a copy: what is cut may be settled at once, which changes the list.
    for (const exchange of this.#live.slice()) {
      const refusal = presentRefusal(exchange, snapshot, keys);
      if (!refusal) continue;
      cut++;
      cutOne(exchange, refusal);
    }
    return cut;
  }

  /** Ends what came with that token. */
  cutToken(environment: string, id: string): void {
    for (const exchange of this.#live)
      if (exchange.token?.id === id && exchange.token.environment === environment)
        cutOne(exchange, refuse("token_unknown"));
  }

  /** Keeps the time bounds of everything that waits or runs. */
  tick(nowMs: number): void {
    for (const exchange of this.#live.slice()) exchange.interruptible?.tick(nowMs);
  }

  cutAll(refusal: Refusal): void {
    for (const exchange of this.#live.slice()) cutOne(exchange, refusal);
  }
}

/** An exchange is between two stages now and then, with nothing to interrupt: it is told, and does not begin its work. */
function cutOne(exchange: Exchange, refusal: Refusal): void {
  if (exchange.interruptible) exchange.interruptible.cut(refusal);
  else exchange.cutBy = refusal;
}

/** Why the exchange may not go on under the present key and snapshot; undefined when it may. */
export function presentRefusal(exchange: Exchange, snapshot: Snapshot, keys: KeyDirectory): Refusal | undefined {
  const admitted = exchange.key!;
  const key = keys.find(admitted.environment, admitted.id);
  if (!key) return refuse("key_unknown");
  const stateRefused = keyRefusal(key);
  if (stateRefused) return stateRefused;
  const right = rightOf(snapshot, key, exchange.token);
  if (!right) return refuse("environment_not_here");
  const bare = refuseBareKey(right, exchange, exchange.endpoint?.served);
  if (bare) return bare;
  if (
    exchange.upstream &&
    !right.environment.upstreams.some(
      (spec) => spec.id === exchange.upstream!.spec.id && spec.url === exchange.upstream!.spec.url,
    )
  ) {
    return refuse("upstream_missing");
  }
  const decision = decide(right, exchange.question!, exchange);
  return decision.isAllowed ? undefined : decision.refusal;
}
