/**
 * The turn: a slot of the key, then a slot of one replica in fair rotation. Who had to wait is decided again against the
 * present snapshot when its turn comes.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Snapshot } from "../../access/snapshot.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { KeyDirectory } from "../../keys/directory.ts";
import { isRefusal } from "../../limits/fair-queue.ts";
import type { Place } from "../../limits/fair-queue.ts";
import type { KeyLimits } from "../../limits/key-limits.ts";
import type { Exchange, Interruptible } from "../exchange.ts";
import { presentRefusal } from "../live-exchanges.ts";
import type { LiveExchanges } from "../live-exchanges.ts";
import { answered } from "../pipeline.ts";
import type { Stage, StageResult } from "../pipeline.ts";
import type { UpstreamPools } from "../upstream/pool.ts";
import type { ReplicaGroup } from "../upstream/replica-group.ts";
import { holdReplica, offerReplica } from "../upstream/turn.ts";
import type { Upstream } from "../upstream/upstream.ts";

export interface QueuePorts {
  readonly limits: KeyLimits;
  readonly pools: UpstreamPools;
  readonly live: LiveExchanges;
  readonly snapshot: () => Snapshot;
  readonly keys: KeyDirectory;
  readonly clock: Clock;
}

export function makeQueue({ limits, pools, live, snapshot, keys, clock }: QueuePorts): Stage {
  return function queue(exchange) {
    const key = exchange.key!;
    const name = `${key.environment}/${key.id}`;
    if (!limits.takeSlot(name, exchange.right!.limits))
      return { ...refuse("concurrency_exceeded"), retryAfterSeconds: 1 };
    exchange.holdsKeySlot = true;
    const group = pools.groupOf(exchange.right!.environment.name);
    if (!group) return refuse("upstream_missing");
    const offer = offerReplica(exchange, group);
    if (offer !== undefined) {
      const refusal = holdReplica(exchange, group, offer, clock);
      if (!refusal) live.add(exchange);
      return refusal;
    }
    live.add(exchange);
    return new Promise<StageResult>((resolve) => new Wait(exchange, group, clock, resolve).begin(name)).then(
      (result) => result ?? presentRefusal(exchange, snapshot(), keys),
    );
  };
}

/** Ends when a slot is taken (undefined), when there will be none (the refusal), or when the client has gone. */
class Wait implements Interruptible {
  readonly #exchange: Exchange;
  readonly #group: ReplicaGroup;
  readonly #clock: Clock;
  readonly #resolve: (result: StageResult) => void;
  #place: Place | null = null;

  constructor(exchange: Exchange, group: ReplicaGroup, clock: Clock, resolve: (result: StageResult) => void) {
    this.#exchange = exchange;
    this.#group = group;
    this.#clock = clock;
    this.#resolve = resolve;
  }

  begin(key: string): void {
    const { model } = this.#exchange.understood!;
    const place = this.#group.queueOf(model!.key)!.wait(key, this.#onTurn);
    if (isRefusal(place)) return this.#resolve(place);
    this.#place = place;
    this.#exchange.interruptible = this;
  }

  readonly #onTurn = (slot: Upstream | null, refusal: Refusal | undefined): void => {
    const exchange = this.#exchange;
    exchange.interruptible = null;
    if (slot !== null) holdReplica(exchange, this.#group, slot, this.#clock);
    if (!exchange.isGone) return this.#resolve(refusal);
    exchange.outcome = exchange.goneOutcome;
    this.#resolve(answered);
  };

  cut(refusal: Refusal): void {
    this.#place?.leave(refusal);
  }

  leave(): void {
    this.#place?.leave(refuse("queue_timeout"));
  }

  tick(): void {}
}
