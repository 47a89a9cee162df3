/**
 * `keep_alive` as Ollama reads it: seconds as a number, or a Go duration as a text (`5m`, `-1s`, `1h30m`). A negative value
 * means for ever. Values that Ollama rejects or overflows on (`1e300` unloads there) are rejected here.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { decodeString } from "../../kernel/strict-json/decode-string.ts";

export const KEEP_ALIVE_SECONDS_MAX = 1e9;

/** The longest lexeme that is read: longer than any duration that means something. */
const LEXEME_LENGTH_MAX = 128;
const UNIT_SECONDS: readonly (readonly [unit: string, seconds: number])[] = [
  ["ns", 1e-9],
  ["us", 1e-6],
  ["µs", 1e-6],
  ["μs", 1e-6],
  ["ms", 1e-3],
  ["s", 1],
  ["m", 60],
  ["h", 3600],
];

/** Seconds, Infinity for ever, null for "not requested" (absent or empty); `field_invalid` for anything else. */
export function readKeepAlive(lexeme: string | undefined): number | null | Refusal {
  if (lexeme === undefined || lexeme === '""') return null;
  const seconds = secondsOf(lexeme);
  if (Number.isNaN(seconds) || seconds > KEEP_ALIVE_SECONDS_MAX)
    return refuse("field_invalid", "keep_alive must be a number of seconds or a duration");
  return seconds < 0 ? Number.POSITIVE_INFINITY : seconds;
}

function secondsOf(lexeme: string): number {
  if (lexeme.length > LEXEME_LENGTH_MAX) return Number.NaN;
  return lexeme.startsWith('"') ? durationSeconds(decodeString(lexeme)) : Number(lexeme);
}

/** Go's `time.ParseDuration`, read in one pass: a sign, then amounts with their units, nothing else. */
function durationSeconds(text: string): number {
  const isNegative = text.startsWith("-");
  const start = isNegative || text.startsWith("+") ? 1 : 0;
  if (text.slice(start) === "0") return 0;
  if (start === text.length) return Number.NaN;
  let seconds = 0;
  for (let at = start; at < text.length;) {
    const amount = amountAt(text, at);
    if (amount === "" || amount === ".") return Number.NaN;
    const unit = unitAt(text, at + amount.length);
    if (unit === undefined) return Number.NaN;
    seconds += Number(amount) * unit[1];
    at += amount.length + unit[0].length;
  }
  return isNegative ? -seconds : seconds;
}

/** Digits with at most one point; "" where none stand. */
function amountAt(text: string, start: number): string {
  let at = start;
  let points = 0;
  for (; at < text.length; at++) {
    const mark = text.charCodeAt(at);
    if (mark === 0x2e) {
      if (++points > 1) return "";
    } else if (mark < 0x30 || mark > 0x39) break;
  }
  return text.slice(start, at);
}

function unitAt(text: string, at: number): readonly [string, number] | undefined {
  return UNIT_SECONDS.find(([unit]) => text.startsWith(unit, at));
}

/** As it is sent: plain seconds, -1 for ever. */
export function writeKeepAlive(seconds: number): string {
  return seconds === Number.POSITIVE_INFINITY ? "-1" : String(seconds);
}
