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
