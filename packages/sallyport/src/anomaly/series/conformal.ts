/**
 * Conformal calibration (Vovk et al. 2005; in the streaming form of Laxhammar and Falkman): whatever a detector's score
 * means, its p-value is the share of earlier scores that were at least as high. Earlier scores are counted in buckets and
 * fade, so that memory and time do not grow with the stream.
 */
export interface Conformal {
  /** Fading counts of the scores of each bucket. */
  readonly counts: number[];
  total: number;
}

export interface ConformalShape {
  readonly buckets: number;
  /** Scores from 0 to this; what lies above goes to the last bucket. */
  readonly scoreMax: number;
  /** What a count keeps for every further score; 1 = forever. */
  readonly keep: number;
}

export function newConformal(shape: ConformalShape): Conformal {
  return { counts: Array.from({ length: shape.buckets }, () => 0), total: 0 };
}

/** The share of earlier scores in the bucket of this one or above; never 0, and 1 where there were none. */
export function conformalTail(conformal: Conformal, score: number, shape: ConformalShape): number {
  let above = 0;
  for (let at = bucketOf(score, shape); at < shape.buckets; at++) above += conformal.counts[at] ?? 0;
  return (above + 1) / (conformal.total + 1);
}

/** After `conformalTail`: a score is compared with those before it. */
export function learnConformal(conformal: Conformal, score: number, shape: ConformalShape): void {
  const { counts } = conformal;
  if (shape.keep < 1) for (let bucket = 0; bucket < counts.length; bucket++) counts[bucket]! *= shape.keep;
  counts[bucketOf(score, shape)]! += 1;
  conformal.total = conformal.total * shape.keep + 1;
}

function bucketOf(score: number, shape: ConformalShape): number {
  const at = Math.floor((score / shape.scoreMax) * shape.buckets);
  return Math.min(shape.buckets - 1, Math.max(0, at));
}
