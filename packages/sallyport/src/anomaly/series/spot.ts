/**
 * SPOT, streaming peaks over threshold (Siffer et al. 2017): whatever the values' distribution, what lies beyond a high
 * level is nearly a generalised Pareto distribution (Pickands, Balkema, de Haan), and from it follows the value that is
 * exceeded once in 1/q. DSPOT is the same on values from which the drift was taken (`learnEwma`'s mean).
 * Constant memory: the newest peaks only, and counts that fade with them. The upper tail alone; for the lower one feed -x.
 */
export interface Spot {
  /** The first values, until the level is known; empty afterwards. */
  first: number[];
  /** The level above which a value is a peak; unit of the values. */
  level: number;
  /** Excesses over the level, a ring. */
  peaks: number[];
  next: number;
  /** Values and peaks counted, both fading at the same rate. */
  values: number;
  exceedances: number;
  /** The fitted distribution of excesses: scale > 0 (unit of the values), shape (positive = heavy tail). */
  scale: number;
  shape: number;
}

/** How many values set the level, which share of them lies above it, how many peaks are kept. */
export interface SpotShape {
  readonly firstCount: number;
  readonly levelShare: number;
  readonly peaksMax: number;
}

export const SPOT: SpotShape = { firstCount: 200, levelShare: 0.05, peaksMax: 64 };

/** A tail is fitted heavier or lighter than this only by too few peaks. */
const SHAPE_MAX = 0.9;
const SHAPE_MIN = -1;
const LEAST_SCALE = 1e-12;

export function newSpot(): Spot {
  return { first: [], level: 0, peaks: [], next: 0, values: 0, exceedances: 0, scale: 0, shape: 0 };
}

/** Before this no tail is known. */
export function isSpotReady(spot: Spot): boolean {
  return spot.scale > 0;
}

/** Takes one value in. A value that is an anomaly should not be: it would teach the tail to expect it. */
export function learnSpot(spot: Spot, value: number, shape: SpotShape = SPOT): void {
  if (!isSpotReady(spot)) {
    spot.first.push(value);
    if (spot.first.length >= shape.firstCount) begin(spot, shape);
    return;
  }
  spot.values++;
  if (value > spot.level) addPeak(spot, value - spot.level, shape);
}

/** P(X >= value) where nothing changed; 1 until the tail is known, and the level's share for all that is no peak. */
export function spotTail(spot: Spot, value: number): number {
  if (!isSpotReady(spot)) return 1;
  const share = spot.exceedances / spot.values;
  const excess = value - spot.level;
  if (excess <= 0) return 1;
  if (Math.abs(spot.shape) < 1e-6) return share * Math.exp(-excess / spot.scale);
  const base = 1 + (spot.shape * excess) / spot.scale;
  return base <= 0 ? 0 : share * base ** (-1 / spot.shape);
}

/** The value that is exceeded with probability `q` (below the level's share); Infinity until the tail is known. */
export function spotThreshold(spot: Spot, q: number): number {
  if (!isSpotReady(spot)) return Infinity;
  const ratio = (q * spot.values) / spot.exceedances;
  if (Math.abs(spot.shape) < 1e-6) return spot.level - spot.scale * Math.log(ratio);
  return spot.level + (spot.scale / spot.shape) * (ratio ** -spot.shape - 1);
}

function begin(spot: Spot, shape: SpotShape): void {
  const sorted = spot.first.toSorted((a, b) => a - b);
  const above = Math.max(1, Math.round(shape.levelShare * sorted.length));
  spot.level = sorted[sorted.length - above - 1] ?? 0;
  spot.values = sorted.length;
  for (const value of spot.first) if (value > spot.level) addPeak(spot, value - spot.level, shape);
  // Constant so far: any change is beyond all that was seen.
  if (spot.scale === 0) spot.scale = LEAST_SCALE;
  spot.exceedances = Math.max(1, spot.exceedances);
  spot.first = [];
}

function addPeak(spot: Spot, excess: number, shape: SpotShape): void {
  if (spot.peaks.length >= shape.peaksMax) {
    const kept = 1 - 1 / shape.peaksMax;
    spot.values *= kept;
    spot.exceedances *= kept;
  }
  spot.peaks[spot.next] = excess;
  spot.next = (spot.next + 1) % shape.peaksMax;
  spot.exceedances++;
  fit(spot);
}

/** Probability-weighted moments (Hosking and Wallis 1987): closed, and steadier than likelihood on few peaks. */
function fit(spot: Spot): void {
  const sorted = spot.peaks.toSorted((a, b) => a - b);
  const count = sorted.length;
  let mean = 0;
  let weighted = 0;
  sorted.forEach((excess, at) => {
    mean += excess / count;
    weighted += (excess * (1 - (at + 0.65) / count)) / count;
  });
  const rest = mean - 2 * weighted;
  const shape = count < 8 || rest <= 0 ? 0 : 2 - mean / rest;
  spot.shape = Math.min(SHAPE_MAX, Math.max(SHAPE_MIN, shape));
  spot.scale = Math.max(LEAST_SCALE, mean * (1 - spot.shape));
}
