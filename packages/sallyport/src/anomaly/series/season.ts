/**
 * What is usual at this hour: one fading mean per slot of a cycle (24 hours of a day, 168 of a week), as the difference to
 * the series' own level. A slot counts only as far as it was seen (`strength` shrinks it), so that the first cycle changes
 * nothing and no season has to be declared. On logarithms the difference is a factor.
 */
export interface Season {
  /** Mean difference to the level in each slot; unit of the values. */
  readonly offsets: number[];
  /** Visits of each slot, fading at the same rate. */
  readonly visits: number[];
}

export const HOUR_MS = 3_600_000;
export const DAY_SLOTS = 24;
export const WEEK_SLOTS = 168;

export function newSeason(slots: number): Season {
  return { offsets: Array.from({ length: slots }, () => 0), visits: Array.from({ length: slots }, () => 0) };
}

/** UTC; a week begins where it begins, only its length matters. */
export function slotOf(timeMs: number, slots: number): number {
  return Math.floor(timeMs / HOUR_MS) % slots;
}

/** What to take off a value of this slot. `strength` visits are needed to believe a slot half. */
export function seasonOffset(season: Season, slot: number, strength: number): number {
  const visits = season.visits[slot] ?? 0;
  return ((season.offsets[slot] ?? 0) * visits) / (visits + strength);
}

/** `difference` is the value less the level without season. */
export function learnSeason(season: Season, slot: number, difference: number, alpha: number): void {
  const visits = (season.visits[slot] ?? 0) * (1 - alpha) + 1;
  const offset = season.offsets[slot] ?? 0;
  season.visits[slot] = visits;
  season.offsets[slot] = offset + (difference - offset) / visits;
}
