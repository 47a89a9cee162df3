/** One watched key: where its row lies, the tail of its sizes, and the last requests as evidence. */
import { newSpot } from "../series/spot.ts";
import type { Spot } from "../series/spot.ts";
import type { Evidence } from "../alert.ts";
import type { Observation } from "../observation.ts";
import type { Row } from "./row.ts";

const EVIDENCE = 10;

export interface WatchedKey {
  readonly environment: string;
  readonly key: string;
  readonly owner: string | null;
  readonly place: number;
  readonly row: Row;
  readonly number: number;
  readonly tail: Spot;
  /** Rings: request ids and epoch ms. */
  readonly requests: string[];
  readonly times: number[];
  next: number;
}

export function newWatchedKey(
  said: Pick<WatchedKey, "environment" | "key" | "owner" | "place" | "row" | "number">,
): WatchedKey {
  return { ...said, tail: newSpot(), requests: [], times: [], next: 0 };
}

export function keepEvidence(watched: WatchedKey, { request, at }: Observation): void {
  if (request === null) return;
  watched.requests[watched.next] = request;
  watched.times[watched.next] = at;
  watched.next = (watched.next + 1) % EVIDENCE;
}

/** Oldest first. */
export function evidenceOf({ requests, times, next }: WatchedKey): readonly Evidence[] {
  return requests.map((_, n) => (next + n) % requests.length).map((n) => ({ request: requests[n]!, at: times[n]! }));
}
