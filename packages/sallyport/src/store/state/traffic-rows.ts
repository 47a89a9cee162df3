/** The parts of an environment's row that say how requests go to its upstreams: their bounds, the queue, slow readers. */
import { upstreamKinds } from "@sallyport/protocol";
import type { Environment } from "../../access/policy.ts";
import { amongst, json, listOf, number, object, oneOf, text, wholeNumber, yesNo } from "../disk/json-shape.ts";
import { limitMembers, limits } from "./principal-rows.ts";

const timeouts = object({}, { connectMs: number, firstByteMs: number, silenceMs: number, answerMs: number });
export const upstream = object(
  { id: text, url: text },
  { kind: amongst(upstreamKinds), concurrency: number, timeoutMs: number, timeouts, isShared: yesNo },
);

/** What rows of before stand for: they say nothing of the queue and of slow readers. */
const USUAL_TRAFFIC = { queue: { waitMs: 300_000, lengthMax: 256 }, readerStallMs: 60_000 };
/** An environment's queue, its bound for slow readers and the rhythm of its access reviews stand beside its limits. */
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
    reviews: listOf(
      object({
        every: oneOf<"quarterly" | "monthly">({ quarterly: true, monthly: true }),
        scope: oneOf<"all" | "privileged">({ all: true, privileged: true }),
        dueMs: wholeNumber,
        reviewers: listOf(text),
      }),
    ),
    queue: object({ waitMs: number, lengthMax: number }),
    readerStallMs: number,
  },
);
export function readTraffic(
  value: unknown,
): Pick<Environment, "limits" | "quotas" | "reviews" | "queue" | "readerStallMs"> {
  const { queue, readerStallMs, quotas, reviews, ...limited } = json(traffic)(value, "limits");
  return {
    limits: limited,
    ...(quotas === undefined ? {} : { quotas }),
    ...(reviews === undefined ? {} : { reviews }),
    queue: queue ?? USUAL_TRAFFIC.queue,
    readerStallMs: readerStallMs ?? USUAL_TRAFFIC.readerStallMs,
  };
}

/** What is written in the column of limits. */
export function trafficOf({ limits: own, quotas, reviews, queue, readerStallMs }: Environment): object {
  return {
    ...own,
    ...(quotas === undefined ? {} : { quotas }),
    ...(reviews === undefined ? {} : { reviews }),
    queue,
    readerStallMs,
  };
}
