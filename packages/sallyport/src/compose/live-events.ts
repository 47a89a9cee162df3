/** Requests that end and changes that are committed become live events, while someone reads them. */
import { changedBy } from "../admin/events/changed-kinds.ts";
import { LiveEvents } from "../admin/events/live-events.ts";
import type { EndListener } from "../dataplane/ending.ts";
import type { Core } from "./core.ts";

export interface OpenLiveEvents {
  readonly events: LiveEvents;
  readonly listener: EndListener;
}

export function openLiveEvents({ clock, onCommitted }: Pick<Core, "clock" | "onCommitted">): OpenLiveEvents {
  const events = new LiveEvents(clock);
  onCommitted((committed) => {
    if (!events.isHeard) return;
    for (const { kind, environment } of changedBy(committed)) events.noteChange(kind, environment);
  });
  const listener: EndListener = {
    ended(exchange, ending, totalMs) {
      const { key, endpoint, understood, usage } = exchange;
      if (key === null || endpoint === null || !events.isHeard) return;
      events.noteRequest({
        id: exchange.id,
        at: new Date(exchange.at).toISOString(),
        environment: key.environment,
        key: key.id,
        keyName: key.name,
        principal: key.owner,
        endpoint: endpoint.id,
        model: understood?.model?.key ?? null,
        outcome: ending,
        code: exchange.refusal?.code ?? null,
        totalMs: Math.round(totalMs),
        queuedMs: Math.round(exchange.queuedMs),
        inputTokens: usage?.inputTokens ?? 0,
        outputTokens: usage?.outputTokens ?? 0,
      });
    },
  };
  return { events, listener };
}
