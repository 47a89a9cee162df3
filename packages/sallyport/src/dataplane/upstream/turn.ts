/** An exchange's turn on a replica: taken, waited for, given back. */
import { isRefusal } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Clock } from "../../kernel/clock.ts";
import type { Offer } from "../../limits/fair-queue.ts";
import type { Exchange } from "../exchange.ts";
import type { ReplicaGroup } from "./replica-group.ts";
import type { Upstream } from "./upstream.ts";

/** Writes the chosen replica into the exchange; returns a denial as it is. */
export function holdReplica(
  exchange: Exchange,
  group: ReplicaGroup,
  offer: Upstream | Refusal,
  clock: Pick<Clock, "monotonic">,
): Refusal | undefined {
  if (isRefusal(offer)) return offer;
  exchange.upstream = offer;
  exchange.group = group;
  exchange.turnMs = clock.monotonic();
  return undefined;
}

/** Takes a replica at once; undefined where one must be waited for. */
export function offerReplica(exchange: Exchange, group: ReplicaGroup): Offer<Upstream> {
  const model = exchange.understood!.model?.key ?? null;
  if (exchange.endpoint!.recorded === "management") return group.takeFirst(model);
  const queue = group.queueOf(model);
  return queue ? queue.take() : group.take(model, null);
}

/** Gives the slot back, where it holds one. */
export function giveReplica(exchange: Exchange, clock: Pick<Clock, "monotonic">): void {
  const { group } = exchange;
  if (group === null) return;
  exchange.group = null;
  const heldMs = clock.monotonic() - exchange.turnMs;
  exchange.heldMs += heldMs;
  group.give(exchange.upstream!, exchange.understood!.model?.key ?? null, heldMs);
}
