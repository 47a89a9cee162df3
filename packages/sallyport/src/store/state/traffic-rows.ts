/** The parts of an environment's row that say how requests go to its upstreams: their bounds, the queue, slow readers. */
import { upstreamKinds } from "@sallyport/protocol";
import type { Environment } from "../../access/policy.ts";
import { amongst, json, listOf, number, object, text, yesNo } from "../disk/json-shape.ts";
import { limitMembers, limits } from "./principal-rows.ts";

const timeouts = object({}, { connectMs: number, firstByteMs: number, silenceMs: number, answerMs: number });
export const upstream = object(
  { id: text, url: text },
  { kind: amongst(upstreamKinds), concurrency: number, timeoutMs: number, timeouts, isShared: yesNo },
);

/** What rows of before stand for: they say nothing of the queue and of slow readers. */
const USUAL_TRAFFIC = { queue: { waitMs: 300_000, lengthMax: 256 }, readerStallMs: 60_000 };
/** An environment's queue and its bound for slow readers stand beside its limits. */
const traffic = object(
  {},
  {
    ...limitMembers,
    quotas: object({
      zone: text,
      total: limits,
      teams: listOf(object({ name: text, limits })),
      models: listOf(object({ selector: text, limits })),
    }),
    queue: object({ waitMs: number, lengthMax: number }),
    readerStallMs: number,
  },
);
export function readTraffic(value: unknown): Pick<Environment, "limits" | "quotas" | "queue" | "readerStallMs"> {
  const { queue, readerStallMs, quotas, ...limited } = json(traffic)(value, "limits");
  return {
    limits: limited,
    ...(quotas === undefined ? {} : { quotas }),
    queue: queue ?? USUAL_TRAFFIC.queue,
    readerStallMs: readerStallMs ?? USUAL_TRAFFIC.readerStallMs,
  };
}

/** What is written in the column of limits. */
export function trafficOf({ limits: own, quotas, queue, readerStallMs }: Environment): object {
  return { ...own, ...(quotas === undefined ? {} : { quotas }), queue, readerStallMs };
}
