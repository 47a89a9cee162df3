/** Counts, durations and sizes as people read them. */

const COUNT_STEPS = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** `12.4k`; below a thousand, the number itself. */
export function shortCount(count: number): string {
  for (const [size, unit] of COUNT_STEPS) if (count >= size * 0.9995) return `${threeDigits(count / size)}${unit}`;
  return String(count);
}

function threeDigits(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value.toFixed(1);
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** `3 h 12 min`, `4 min 10 s`, `8.2 s`, `340 ms`. */
export function durationText(ms: number): string {
  if (ms < SECOND_MS) return `${ms} ms`;
  if (ms < MINUTE_MS - 50) return `${(ms / SECOND_MS).toFixed(1)} s`;
  if (ms < HOUR_MS - SECOND_MS / 2) return twoUnits(Math.round(ms / SECOND_MS), "min", "s");
  return twoUnits(Math.round(ms / MINUTE_MS), "h", "min");
}

/** `small`: how many of the smaller unit. */
function twoUnits(small: number, largeName: string, smallName: string): string {
  return `${Math.floor(small / 60)} ${largeName} ${small % 60} ${smallName}`;
}

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar as long as the value's share of the most; something is always visible of what is not zero. */
export function barText(value: number, most: number, width: number): string {
  if (value <= 0 || most <= 0) return "".padEnd(width);
  const eighths = Math.max(1, Math.round((value / most) * width * 8));
  return ("█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "")).padEnd(width);
}
