/** How an exchange ended, in one word of a closed set, for all counters and reports of endings. */
import type { Exchange, Outcome } from "./exchange.ts";

export type Ending =
  | Outcome
  | "refused" // a decision no, before anything was forwarded
  | "fault"
  | "local"; // answered by constants of ours, CORS preflights among them

export function endingOf({ outcome, refusal }: Exchange): Ending {
  if (refusal?.code === "fault") return "fault";
  return outcome ?? (refusal === null ? "local" : "refused");
}

/** Told of each exchange once, when it is over: metrics, the log and traces listen here. What it does must be short and must not wait. */
export interface EndListener {
  ended(exchange: Exchange, ending: Ending, totalMs: number): void;
}
