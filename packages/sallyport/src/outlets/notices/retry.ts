/** How long delivery is tried, the same for every way a notice goes: the waits double to a quarter of an hour, about three hours in all. */

/** Notices that wait at the same time. */
export const NOTICES_MAX = 1_000;
export const ATTEMPTS = 20;
const RETRY_MS = 1_000;
const RETRY_MAX_MS = 15 * 60_000;

/** After so many attempts, from 1. */
export function retryWaitMs(attempts: number): number {
  return Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** (attempts - 1));
}
