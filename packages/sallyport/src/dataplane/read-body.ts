/**
 * Reads a request's body into one buffer: bounded in size, in time between chunks and in all, by a rate it must keep up,
 * and by the global budget.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Clock } from "../kernel/clock.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { Exchange } from "./exchange.ts";

export const BODY_IDLE_MS = 15_000;
export const BODY_WHOLE_MS = 120_000;
/** After this time a body must have come at this rate: a drip would hold its place for as long as a large upload. */
export const BODY_SLOW_AFTER_MS = 10_000;
export const BODY_BYTES_PER_SECOND_MIN = 512;

const TURN = Promise.resolve();

/** The body, or why it is not taken: `body_too_large`, `overloaded`, `request_timeout`. Rejects when the client goes. */
export function readBody(
  exchange: Exchange,
  bytesMax: number,
  budget: ByteBudget,
  clock: Clock,
): Promise<Buffer | Refusal> {
  const { request } = exchange;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const beganMs = clock.monotonic();
    let size = 0;
    let isOver = false;
    let idle: NodeJS.Timeout | undefined;
    // Most bodies come with their head and are whole before this turn ends: those need no timer.
    void TURN.then(() => {
      if (!isOver) idle = setTimeout(stop, BODY_IDLE_MS, refuse("request_timeout"));
    });

    function onChunk(chunk: Buffer): void {
      if (isOver) return;
      size += chunk.length;
      if (size > bytesMax) return stop(refuse("body_too_large"));
      if (isTooSlow(clock.monotonic() - beganMs, size)) return stop(refuse("request_timeout"));
      if (!budget.take(exchange, chunk.length)) return stop(refuse("overloaded").with({ retryAfterSeconds: 2 }));
      chunks.push(chunk);
      idle?.refresh();
    }
    function onEnd(): void {
      if (!end()) return;
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size));
    }
    function onGone(): void {
      if (end()) reject(new ClientGone());
    }
    function stop(refusal: Refusal): void {
      if (!end()) return;
      request.pause();
      resolve(refusal);
    }
    /** True the first time. The listeners stay: they cost nothing once it is over, and go with the request. */
    function end(): boolean {
      if (isOver) return false;
      isOver = true;
      clearTimeout(idle);
      return true;
    }
    request.on("data", onChunk).on("end", onEnd).on("error", onGone).on("close", onGone);
  });
}

function isTooSlow(ms: number, bytes: number): boolean {
  if (ms > BODY_WHOLE_MS) return true;
  return ms > BODY_SLOW_AFTER_MS && bytes < (ms / 1_000) * BODY_BYTES_PER_SECOND_MIN;
}

/** The client closed its connection before the request was complete: there is no one to respond to. */
export class ClientGone extends Error {
  constructor() {
    super("the client has gone");
    this.name = "ClientGone";
  }
}
