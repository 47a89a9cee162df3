/** The time bounds of calls to one upstream: what its policy says, with the usual values for what it leaves out. */
import type { UpstreamSpec } from "../../access/policy.ts";
import type { Endpoint } from "../wire/endpoint.ts";
import type { Understood } from "../wire/understood.ts";

/** The exchange, as far as it says how long it may take. Both are there once the request was understood. */
interface Asked {
  readonly endpoint: Pick<Endpoint, "recorded" | "metering"> | null;
  readonly understood: Pick<Understood, "isStream"> | null;
}

export interface UpstreamBounds {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly silenceMs: number;
  readonly answerMs: number;
}

export const DEFAULT_BOUNDS: UpstreamBounds = {
  connectMs: 5_000,
  // Ollama's own bound for loading a model.
  firstByteMs: 300_000,
  silenceMs: 300_000,
  answerMs: 3_600_000,
};

/** A model that is pulled, pushed, created or uploaded: as large as it may be, and never without end. */
export const TRANSFER_MS = 24 * 3_600_000;

/** `timeout` is the short form for first byte and silence alike. */
export function boundsOf({ timeoutMs, timeouts }: UpstreamSpec): UpstreamBounds {
  const { connectMs, firstByteMs, silenceMs, answerMs } = DEFAULT_BOUNDS;
  return {
    connectMs: timeouts?.connectMs ?? connectMs,
    firstByteMs: timeouts?.firstByteMs ?? timeoutMs ?? firstByteMs,
    silenceMs: timeouts?.silenceMs ?? timeoutMs ?? silenceMs,
    answerMs: timeouts?.answerMs ?? answerMs,
  };
}

/**
 * How long the head of the answer may take. An answer that comes in one piece begins when it is whole: then the bound of
 * the whole answer counts, since a server that works looks the same as one that hangs.
 */
export function firstByteMsOf({ endpoint, understood }: Asked, bounds: UpstreamBounds): number {
  const comesWhole = !understood!.isStream;
  if (endpoint!.recorded === "inference" && comesWhole) return bounds.answerMs;
  if (endpoint!.metering === "native-progress" && comesWhole) return TRANSFER_MS;
  return bounds.firstByteMs;
}

/** How long the whole answer may take. */
export function answerMsOf({ endpoint }: Pick<Asked, "endpoint">, bounds: UpstreamBounds): number {
  return endpoint!.recorded === "management" ? TRANSFER_MS : bounds.answerMs;
}
