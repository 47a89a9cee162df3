/**
 * The turn: a slot of one replica in fair rotation. Who had to wait is decided again against the
 * present snapshot when its turn comes.
 */
import { isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { LedgerAppender } from "../../audit/recorder.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Place } from "../../limits/fair-queue.ts";
import type { QueueCaller } from "../../limits/queue-places.ts";
import type { Exchange, Interruptible } from "../exchange.ts";
import type { Judge } from "../judge.ts";
import type { LiveExchanges } from "../live-exchanges.ts";
import { answered } from "../pipeline.ts";
import type { Stage, StageResult } from "../pipeline.ts";
import type { UpstreamPools } from "../upstream/pool.ts";
import type { ReplicaGroup } from "../upstream/replica-group.ts";
import { beginEventStream, expectsEvents, KEEP_ALIVE_MS, writeComment } from "../upstream/early-stream.ts";
import { isRecorded } from "../may-go-unrecorded.ts";
import { callerOf, holdReplica, offerReplica, queuedModelOf } from "../upstream/turn.ts";
import type { Upstream } from "../upstream/upstream.ts";

export interface QueueStagePorts {
  readonly pools: UpstreamPools;
  readonly live: LiveExchanges;
  readonly judge: Pick<Judge, "refuseNow">;
  readonly clock: Clock;
  readonly ledger: Pick<LedgerAppender, "isDurable">;
  /** Records the intent of a request that is shown something while it waits. */
  readonly intend: (exchange: Exchange) => Refusal | undefined;
}

export function makeQueue(ports: QueueStagePorts): Stage {
  const { pools, live, judge, clock } = ports;
  return function queue(exchange) {
    const group = pools.groupOf(exchange.right!.environment.name);
    if (!group) return refuse("upstream_missing");
    const caller = callerOf(exchange);
    const offer = offerReplica(exchange, group, caller);
    if (offer !== undefined) {
      const refusal = holdReplica(exchange, group, caller, offer, clock);
      if (!refusal) live.add(exchange);
      return refusal;
    }
    live.add(exchange);
    return new Promise<StageResult>((resolve) => new Wait(exchange, group, caller, ports, resolve).begin()).then(
      (result) => {
        const said = result ?? judge.refuseNow(exchange);
        // Recorded while it waited: then its end is, too.
        if (said !== undefined && said !== answered && exchange.ticket !== null)
          exchange.outcome ??= said.code === "queue_timeout" ? "timed_out" : "cut";
        return said;
      },
    );
  };
}

/** Resolves when a slot is taken (undefined), when there will be none (the denial), or when the client has gone. */
class Wait implements Interruptible {
  readonly #exchange: Exchange;
  readonly #group: ReplicaGroup;
  readonly #caller: QueueCaller;
  readonly #ports: QueueStagePorts;
  readonly #resolve: (result: StageResult) => void;
  #place: Place | null = null;
  readonly #beganMs: number;
  /** When something was shown last, or the wait began. */
  #shownMs: number;

  constructor(
    exchange: Exchange,
    group: ReplicaGroup,
    caller: QueueCaller,
    ports: QueueStagePorts,
    resolve: (result: StageResult) => void,
  ) {
    this.#exchange = exchange;
    this.#group = group;
    this.#caller = caller;
    this.#ports = ports;
    this.#beganMs = ports.clock.monotonic();
    this.#shownMs = this.#beganMs;
    this.#resolve = resolve;
  }

  begin(): void {
    const place = this.#group.queueOf(queuedModelOf(this.#exchange)!).wait(this.#caller, this.#onTurn);
    if (isRefusal(place)) return this.#resolve(place);
    this.#place = place;
    this.#exchange.interruptible = this;
  }

  readonly #onTurn = (slot: Upstream | null, refusal: Refusal | undefined): void => {
    const exchange = this.#exchange;
    exchange.interruptible = null;
    exchange.queuedMs += this.#ports.clock.monotonic() - this.#beganMs;
    if (slot !== null) holdReplica(exchange, this.#group, this.#caller, slot, this.#ports.clock);
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

  /** Keeps the connection of an event stream alive. What cannot be recorded is reported when its turn comes. */
  tick(nowMs: number): void {
    const exchange = this.#exchange;
    if (nowMs - this.#shownMs < KEEP_ALIVE_MS || !expectsEvents(exchange)) return;
    if (this.#ports.intend(exchange) !== undefined || !isRecorded(exchange, this.#ports.ledger)) return;
    this.#shownMs = nowMs;
    if (exchange.writer === null) beginEventStream(exchange);
    writeComment(exchange);
  }
}
