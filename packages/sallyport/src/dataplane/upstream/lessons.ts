/**
 * What an answer teaches about its replica: how many requests it takes at the same time, which models it has and has
 * loaded, how fast it writes. The next choice and the next estimate are made of it.
 */
import type { Exchange } from "../exchange.ts";
import { isStreamType } from "./headers.ts";
import { queuedModelOf } from "./turn.ts";

/** A request that begins at once though all slots are taken shows that there is one more. */
export function noteFirstByte(exchange: Exchange, status: number, type: string): void {
  const { upstream, letIn, group, endpoint } = exchange;
  const model = queuedModelOf(exchange);
  if (letIn === null || group === null || model === null || status >= 300) return;
  if (upstream!.noteFirstByte(model, letIn, isStreamType(type), endpoint!.metering === "native")) group.pump();
}

/** The answer is over, `tookMs` after the call. */
export function noteAnswer(exchange: Exchange, status: number, isStream: boolean, tookMs: number): void {
  const { understood, upstream, endpoint, usage, outcome } = exchange;
  if (understood!.model === null || endpoint!.recorded !== "inference") return;
  const model = understood!.model.key;
  if (status === 404) return upstream!.noteLacks(model);
  if (outcome !== "served") return;
  noteInnerWait(exchange, model, isStream);
  upstream!.noteServed(model);
  if (usage !== null && !usage.isEstimated && usage.outputTokens > 0 && tookMs > 0)
    upstream!.noteTokenRate(usage.outputTokens / (tookMs / 1_000));
}

/** Before its first byte a request either waits inside the server or is worked on, and some servers say how long. */
function noteInnerWait({ usage, letIn, upstream, startedMs, firstByteMs }: Exchange, model: string, isStream: boolean) {
  const workedMs = isStream ? usage?.promptMs : usage?.workedMs;
  if (letIn === null || workedMs === undefined) return;
  upstream!.noteInnerWait(model, letIn, startedMs + firstByteMs - letIn.beganMs - workedMs);
}
