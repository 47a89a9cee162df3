import type { Exchange } from "../exchange.ts";

/** What one exchange used. `isEstimated` where the upstream reported nothing and we counted characters. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly isEstimated: boolean;
}

/** Four characters a token: the usual rough figure, used only where the server reports none, and marked as such. */
export function estimateUsage(inputCharacters: number, outputCharacters: number): Usage {
  return {
    inputTokens: Math.ceil(inputCharacters / 4),
    outputTokens: Math.ceil(outputCharacters / 4),
    isEstimated: true,
  };
}

/**
 * Of an answer that was aborted before anything of it was seen: its input, and what the model makes in the time it worked,
 * at the rate it was last measured with, up to what was asked for.
 */
export function estimateAborted({ understood, upstream }: Exchange, workedMs: number): Usage {
  const { inputCharacters, asked, model } = understood!;
  if (model === null) return estimateUsage(inputCharacters, 0);
  const made = Math.ceil((upstream!.tokenRate * workedMs) / 1_000);
  const outputTokens = asked.outputTokens !== undefined && asked.outputTokens > 0 ? Math.min(made, asked.outputTokens) : made;
  return { ...estimateUsage(inputCharacters, 0), outputTokens };
}
