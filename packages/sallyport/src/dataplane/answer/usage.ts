import type { Metering } from "../wire/endpoint.ts";
import type { Understood } from "../wire/understood.ts";

/** What one exchange used. `isEstimated` where the upstream reported nothing and we counted characters. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly isEstimated: boolean;
  /** How long the server says it worked on it (loading, prompt, output), ms; absent where it says nothing. */
  readonly workedMs?: number;
  /** Of that, what passed before the first token (loading, prompt), ms. */
  readonly promptMs?: number;
}

/** Four characters a token: the usual rough figure, used only where the server reports none, and marked as such. */
export function estimateUsage(inputCharacters: number, outputCharacters: number): Usage {
  return {
    inputTokens: Math.ceil(inputCharacters / 4),
    outputTokens: Math.ceil(outputCharacters / 4),
    isEstimated: true,
  };
}

/** What these meter is text that a model writes token by token. */
const WRITES_TOKENS: ReadonlySet<Metering> = new Set<Metering>([
  "native", "openai-chat", "openai-completions", "openai-responses", "anthropic",
]); // prettier-ignore

/** Its answers are text that a model writes token by token. */
export function writesTokens(metering: Metering): boolean {
  return WRITES_TOKENS.has(metering);
}

/** The exchange, as far as its cost can be told. All are there once the request was forwarded. */
interface Aborted {
  readonly understood: Pick<Understood, "inputCharacters" | "asked"> | null;
  readonly upstream: { readonly tokenRate: number } | null;
  readonly endpoint: { readonly metering: Metering } | null;
}

/**
 * Of an answer that was aborted before anything of it was seen: its input, and what the model makes in the time it worked,
 * at the rate it was last measured with, up to what was asked for.
 */
export function estimateAborted({ understood, upstream, endpoint }: Aborted, workedMs: number): Usage {
  const { inputCharacters, asked } = understood!;
  if (!WRITES_TOKENS.has(endpoint!.metering)) return estimateUsage(inputCharacters, 0);
  const made = Math.ceil((upstream!.tokenRate * workedMs) / 1_000);
  const outputTokens =
    asked.outputTokens !== undefined && asked.outputTokens > 0 ? Math.min(made, asked.outputTokens) : made;
  return { ...estimateUsage(inputCharacters, 0), outputTokens };
}

/** What came of an answer: pieces of a stream, about one a token; of an answer in one piece, its bytes. */
export interface Received {
  readonly pieces: number;
  readonly bytes: number;
  readonly isStream: boolean;
}

/**
 * Of an answer whose usage was not reported: by what came of it, or by the time the model worked on it (`workedMs`; null =
 * it was not asked). Null where nothing is metered.
 */
export function estimateEnded(exchange: Aborted, received: Received, workedMs: number | null): Usage | null {
  const { metering } = exchange.endpoint!;
  if (metering === "none") return null;
  const { pieces, bytes, isStream } = received;
  const characters = isStream || !writesTokens(metering) ? 4 * pieces : Math.max(4 * pieces, bytes);
  if (pieces > 0) return estimateUsage(exchange.understood!.inputCharacters, characters);
  return workedMs === null ? null : estimateAborted(exchange, workedMs);
}
