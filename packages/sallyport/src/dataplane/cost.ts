/** What an exchange cost, once it has given its slot back. */
import type { Exchange } from "./exchange.ts";

/**
 * Compute time in ms: what the model server says it worked, as far as the slot was held for that long, and the time the
 * slot was held where the server says nothing. Whole milliseconds, so that sums in every report agree.
 */
export function computeMsOf({
  usage,
  heldMs,
  isForwarded,
}: Pick<Exchange, "usage" | "heldMs" | "isForwarded">): number {
  if (!isForwarded) return 0;
  return Math.round(Math.min(usage?.workedMs ?? heldMs, heldMs));
}

/** How long it has held a slot of its model, ms. Lists and the management of models hold none. */
export function heldMsOf({ heldMs, service, turnMs }: Exchange, nowMs: number): number {
  return heldMs + (service === null ? 0 : nowMs - turnMs);
}

/**
 * What an answer cost so far, as `x-sallyport-usage` says it: `compute` only where the answer has come and its usage is
 * known, because the head of a stream leaves before its end.
 */
export function usageHeader(exchange: Exchange, nowMs: number): string {
  const { usage, queuedMs, isForwarded } = exchange;
  const heldMs = heldMsOf(exchange, nowMs);
  const compute = usage !== null ? `compute=${computeMsOf({ usage, heldMs, isForwarded })};` : "";
  return `${compute}queue=${Math.round(queuedMs)}`;
}
