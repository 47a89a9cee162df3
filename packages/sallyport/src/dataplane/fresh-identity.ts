/** For how long a proof of identity counts, for the factor `identity`. */
const FRESH_SECONDS = 15 * 60;

/** `authenticatedAt` is epoch seconds, `now` epoch ms. */
export function isFresh(authenticatedAt: number, now: number): boolean {
  return now / 1_000 - authenticatedAt <= FRESH_SECONDS;
}
