/** What a gateway holds at this moment, as its metrics say it: for tests that everything is given back. */
import type { StartedGateway } from "./started-gateway.ts";

export interface Counters {
  readonly running: number;
  readonly waiting: number;
  readonly heldBytes: number;
  readonly upstreamRunning: number;
}

export const IDLE: Counters = { running: 0, waiting: 0, heldBytes: 0, upstreamRunning: 0 };

export async function countersOf(gateway: StartedGateway): Promise<Counters> {
  const answer = await fetch(`${gateway.gateway.adminUrl}/metrics`, {
    headers: { authorization: `Bearer ${gateway.adminKey}` },
  });
  const text = await answer.text();
  const sum = (name: string): number =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))].reduce(
      (all, [, value]) => all + Number(value),
      0,
    );
  return {
    running: sum("sallyport_running_exchanges"),
    waiting: sum("sallyport_waiting_exchanges"),
    heldBytes: sum("sallyport_held_bytes"),
    upstreamRunning: sum("sallyport_upstream_running"),
  };
}

/** Asks until it is so; a test that waits in vain ends by its own time. */
export async function untilCounters(gateway: StartedGateway, isSo: (counters: Counters) => boolean): Promise<void> {
  while (!isSo(await countersOf(gateway))) await new Promise((resolve) => setImmediate(resolve));
}

/** Until nothing is held any more. */
export function untilIdle(gateway: StartedGateway): Promise<void> {
  return untilCounters(gateway, (counters) => Object.values(counters).every((value) => value === 0));
}
