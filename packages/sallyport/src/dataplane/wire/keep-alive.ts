/**
 * `keep_alive` as Ollama reads it: seconds as a number, or a Go duration as a text (`5m`, `-1s`, `1h30m`). Negative is for
 * ever. What Ollama refuses or overflows on (`1e300` unloads there) is refused here.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { decodeString } from "../../kernel/strict-json/decode-string.ts";

export const KEEP_ALIVE_SECONDS_MAX = 1e9;
/** Shorter than this and not 0 is an unload in disguise: it is raised. */
export const KEEP_ALIVE_SECONDS_MIN = 60;

const DURATION = /^([+-]?)((?:(?:\d{1,15}\.?\d{0,9}|\.\d{1,9})(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const UNIT_SECONDS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

/** Seconds, Infinity for ever, null for "not asked" (absent or empty); `field_invalid` for what is none of these. */
export function readKeepAlive(lexeme: string | undefined): number | null | Refusal {
  if (lexeme === undefined || lexeme === '""') return null;
  const seconds = lexeme.startsWith('"') ? durationSeconds(decodeString(lexeme)) : Number(lexeme);
  if (Number.isNaN(seconds) || seconds > KEEP_ALIVE_SECONDS_MAX)
    return refuse("field_invalid", "keep_alive must be a number of seconds or a duration");
  return seconds < 0 ? Number.POSITIVE_INFINITY : seconds;
}

function durationSeconds(text: string): number {
  if (/^[+-]?0$/.test(text)) return 0;
  const parts = DURATION.exec(text);
  if (!parts) return Number.NaN;
  let seconds = 0;
  for (const [, amount, unit] of parts[2]!.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g))
    seconds += Number(amount) * UNIT_SECONDS[unit!]!;
  return parts[1] === "-" ? -seconds : seconds;
}

/** As it is sent: plain seconds, -1 for ever. */
export function writeKeepAlive(seconds: number): string {
  return seconds === Number.POSITIVE_INFINITY ? "-1" : String(seconds);
}
