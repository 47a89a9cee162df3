/**
 * One episode, one alarm: after a reading was passed on, the next ones are held back for a while unless they say more.
 * No threshold is needed for it, so that one may be chosen afterwards.
 */
export interface Rest {
  seen: number;
  /** What was passed on last, and until which reading nothing lower is. */
  held: number;
  until: number;
}

/** The longer a series is known, the longer an episode may be: this share of what was seen, and at most so many readings. */
const SHARE = 0.03;
const READINGS_MAX = 150;

export function newRest(): Rest {
  return { seen: 0, held: 0, until: -1 };
}

/** The reading itself where it opens or tops an episode, else 0. */
export function afterRest(rest: Rest, reading: number): number {
  const at = rest.seen++;
  if (at > rest.until) rest.held = 0;
  if (reading <= rest.held) return 0;
  rest.held = reading;
  rest.until = at + Math.min(SHARE * at, READINGS_MAX);
  return reading;
}
