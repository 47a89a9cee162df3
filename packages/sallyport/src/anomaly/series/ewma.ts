/**
 * Mean and variance with exponentially fading weights (Roberts 1959; the recursion of West 1979): two numbers and a
 * weight stand for the whole past. The state is a plain object, so that it is its own snapshot: JSON keeps it.
 */
export interface Ewma {
  /** 1 - (1 - alpha)^n: how full the memory is, 0 to 1. */
  weight: number;
  /** Unit of the values. */
  mean: number;
  /** Unit of the values, squared. */
  variance: number;
}

export function newEwma(): Ewma {
  return { weight: 0, mean: 0, variance: 0 };
}

/**
 * Takes one value in. `alpha` is the share of the newest value once the memory is full; before that the first values count
 * as in a plain average, so that no start value has to be guessed.
 */
export function learnEwma(ewma: Ewma, value: number, alpha: number): void {
  ewma.weight += alpha * (1 - ewma.weight);
  const share = alpha / ewma.weight;
  const difference = value - ewma.mean;
  const step = share * difference;
  ewma.mean += step;
  ewma.variance = (1 - share) * (ewma.variance + difference * step);
}

/** How many deviations `value` lies from the mean, signed. `floor` is the least deviation believed, in the values' unit. */
export function standardScore(ewma: Ewma, value: number, floor: number): number {
  return (value - ewma.mean) / Math.max(Math.sqrt(ewma.variance), floor);
}

/** The alpha under which a value counts half after `count` further ones. */
export function alphaOfHalfLife(count: number): number {
  return 1 - 2 ** (-1 / count);
}

/** The alpha for events that come when they come: what fades in `gapMs` when a half fades in `halfLifeMs`. */
export function alphaOfGap(gapMs: number, halfLifeMs: number): number {
  return 1 - 2 ** (-Math.max(0, gapMs) / halfLifeMs);
}
