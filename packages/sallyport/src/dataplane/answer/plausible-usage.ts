/**
 * Whether a model server's report of what an answer used can be true. Budgets and charges are made of it, so a report
 * that cannot be true counts as none, and the gateway estimates (marked as such).
 */
import type { Exchange } from "../exchange.ts";
import { estimateEnded, writesTokens } from "./usage.ts";
import type { Usage } from "./usage.ts";
import type { Metering } from "../wire/endpoint.ts";

/** Tokens that stand in no body: templates, images by address, hidden thoughts. */
const UNSEEN_TOKENS_MAX = 65_536;
/** An answer of more bytes has a token in it. */
const EMPTY_ANSWER_BYTES = 4_096;

export interface UsageBounds {
  readonly metering: Metering;
  readonly requestBytes: number;
  readonly answerBytes: number;
  /** The most output tokens that the request had; undefined = no cap. */
  readonly outputTokensMax: number | undefined;
}

export function isPlausible({ inputTokens, outputTokens }: Usage, bounds: UsageBounds): boolean {
  const { metering, requestBytes, answerBytes, outputTokensMax } = bounds;
  if (inputTokens > requestBytes + UNSEEN_TOKENS_MAX) return false;
  if (outputTokens > (outputTokensMax ?? 0) + answerBytes + UNSEEN_TOKENS_MAX) return false;
  // Ollama's own dialect renders a template on request, which is long and has no output.
  const mustHaveOutput = writesTokens(metering) && metering !== "native" && answerBytes > EMPTY_ANSWER_BYTES;
  return outputTokens > 0 || !mustHaveOutput;
}

/** What is charged for an answer that is over: as reported where that can be true, else an estimate. */
export function settleUsage(
  exchange: Exchange,
  pieces: number,
  isStream: boolean,
  workedMs: number | null,
): Usage | null {
  const { usage, endpoint, serialized, sentBytes, terms } = exchange;
  const bounds = {
    metering: endpoint!.metering,
    requestBytes: serialized!.bytes.length,
    answerBytes: sentBytes,
    outputTokensMax: terms?.outputTokens,
  };
  if (usage !== null && (usage.isEstimated || isPlausible(usage, bounds))) return usage;
  return estimateEnded(exchange, { pieces, bytes: sentBytes, isStream }, workedMs);
}
