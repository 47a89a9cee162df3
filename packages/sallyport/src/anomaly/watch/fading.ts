/** `learnEwma` in three words of a row (weight, mean, variance): what ../series/ewma.ts is, without an object per series. */
export function learnAt(floats: Float32Array, at: number, value: number, alpha: number): void {
  const weight = floats[at]! + alpha * (1 - floats[at]!);
  const share = alpha / weight;
  const difference = value - floats[at + 1]!;
  const step = share * difference;
  floats[at] = weight;
  floats[at + 1] = floats[at + 1]! + step;
  floats[at + 2] = (1 - share) * (floats[at + 2]! + difference * step);
}

/** Takes over what a group knows, as if it had been seen `count` times here. */
export function inheritAt(
  floats: Float32Array,
  at: number,
  mean: number,
  variance: number,
  alpha: number,
  count: number,
): void {
  floats[at] = 1 - (1 - alpha) ** count;
  floats[at + 1] = mean;
  floats[at + 2] = variance;
}
