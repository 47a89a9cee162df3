/**
 * The turn: a slot of the key, then a slot of one upstream's model in fair rotation. Who had to wait is decided again
 * against the present snapshot when his turn comes.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Snapshot } from "../../access/snapshot.ts";
import type { KeyDirectory } from "../../keys/directory.ts";
import type { KeyLimits } from "../../limits/key-limits.ts";
import type { Exchange } from "../exchange.ts";
import { presentRefusal } from "../live-exchanges.ts";
import type { LiveExchanges } from "../live-exchanges.ts";
import type { Stage } from "../pipeline.ts";
import type { UpstreamPools } from "../upstream/pool.ts";

export interface QueuePorts {
  readonly limits: KeyLimits;
  readonly pools: UpstreamPools;
  readonly live: LiveExchanges;
  readonly snapshot: () => Snapshot;
  readonly keys: KeyDirectory;
}

export function makeQueue({ limits, pools, live, snapshot, keys }: QueuePorts): Stage {
  return function queue(exchange) {
    const key = exchange.key!;
    const name = `${key.environment}/${key.id}`;
    if (!limits.takeSlot(name, exchange.right!.limits))
      return { ...refuse("concurrency_exceeded"), retryAfterSeconds: 1 };
    exchange.holdsKeySlot = true;
    const environment = exchange.right!.environment;
    const upstream = pools.choose(environment, exchange.endpoint!.recorded === "management");
    if (!upstream) return refuse("upstream_missing");
    exchange.upstream = upstream;
    live.add(exchange);
    const lane = upstream.laneFor(exchange.understood!.model?.key ?? null);
    if (!lane) return undefined;
    return waitTurn(exchange, lane, name).then((refusal) => {
      if (refusal) return refusal;
      exchange.lane = lane;
      return presentRefusal(exchange, snapshot(), keys);
    });
  };
}

/** Resolves when a slot is taken (undefined) or will not be (the refusal). A client that leaves gives up its place. */
function waitTurn(exchange: Exchange, lane: NonNullable<Exchange["lane"]>, key: string): Promise<Refusal | undefined> {
  return new Promise((resolve) => {
    const place = lane.enter(key, (refusal) => {
      exchange.interruptible = null;
      exchange.response.off("close", onGone);
      resolve(refusal);
    });
    function onGone(): void {
      exchange.outcome = "client_gone";
      if (place && "leave" in place) place.leave(refuse("queue_timeout"));
    }
    if (place === undefined) return resolve(undefined);
    if ("code" in place) return resolve(place);
    exchange.interruptible = { cut: (refusal) => place.leave(refusal) };
    exchange.response.on("close", onGone);
  });
}
