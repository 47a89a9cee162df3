/** An exchange's turn on a replica: taken, waited for, charged, given back. */
import { isRefusal } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { EffectiveRight } from "../../access/snapshot.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Offer } from "../../limits/fair-queue.ts";
import type { QueueCaller } from "../../limits/queue-places.ts";
import type { Exchange } from "../exchange.ts";
import type { ReplicaGroup } from "./replica-group.ts";
import type { Upstream } from "./upstream.ts";

/** Whom the exchange is charged to. */
export function callerOf(exchange: Exchange): QueueCaller {
  const { id, owner } = exchange.key!;
  const { team, share } = exchange.right as EffectiveRight;
  // A key without an owner stands for itself.
  return { team, principal: owner ?? id, key: id, ...share, isNative: isNative(exchange) };
}

/** Writes the chosen replica into the exchange and charges its turn; returns a denial as it is. */
export function holdReplica(
  exchange: Exchange,
  group: ReplicaGroup,
  caller: QueueCaller,
  offer: Upstream | Refusal,
  clock: Pick<Clock, "monotonic">,
): Refusal | undefined {
  if (isRefusal(offer)) return offer;
  exchange.upstream = offer;
  exchange.group = group;
  exchange.turnMs = clock.monotonic();
  const model = queuedModelOf(exchange);
  if (model !== null) {
    exchange.service = group.queueOf(model).begin(caller);
    exchange.letIn = offer.letIn(model);
  }
  return undefined;
}

/** Takes a replica at once; undefined where one must be waited for. */
export function offerReplica(exchange: Exchange, group: ReplicaGroup, caller: QueueCaller): Offer<Upstream> {
  if (isManagement(exchange)) return group.takeFirst(exchange.understood!.model?.key ?? null);
  const model = queuedModelOf(exchange);
  if (model !== null) return group.queueOf(model).take(caller);
  // The others' names are known; what an Ollama has is in its own list only.
  const isOfOllama = exchange.endpoint!.filter === "v1-models" && group.hasOllama;
  return group.take(null, null, caller.key, isOfOllama || caller.isNative === true);
}

/** It has held its slot for a while: what it took beyond its prediction is charged. */
export function correctReplica(exchange: Exchange, nowMs: number): void {
  const { service, group } = exchange;
  if (service !== null && group !== null)
    group.queueOf(queuedModelOf(exchange)!).correct(service, nowMs - exchange.turnMs);
}

/** Gives the slot back, where it holds one. */
export function giveReplica(exchange: Exchange, clock: Pick<Clock, "monotonic">): void {
  const { group, service } = exchange;
  if (group === null) return;
  exchange.group = null;
  exchange.service = null;
  if (service !== null) {
    const heldMs = clock.monotonic() - exchange.turnMs;
    exchange.heldMs += heldMs;
    group.queueOf(queuedModelOf(exchange)!).end(service, heldMs);
  }
  group.give(exchange.upstream!, exchange.understood!.model?.key ?? null);
}

/** The model in whose queue it waits; null for lists and the management of models, which take no turn of a model. */
export function queuedModelOf(exchange: Exchange): string | null {
  return isManagement(exchange) ? null : (exchange.understood!.model?.key ?? null);
}

/** It is in Ollama's own dialect, which other servers do not speak. */
function isNative({ endpoint }: Exchange): boolean {
  return endpoint!.dialect === "ollama";
}

function isManagement({ endpoint }: Exchange): boolean {
  return endpoint!.recorded === "management";
}
