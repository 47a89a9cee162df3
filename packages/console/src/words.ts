/** Times, numbers and sizes as people read them: in the viewer's own zone and language. */
const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const local = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });

/** `in 3 days`, `2 hours ago`, `just now`. */
export function relativeTime(iso: string, nowMs: number): string {
  const ms = Date.parse(iso) - nowMs;
  for (const [unit, length] of UNITS) if (Math.abs(ms) >= length) return relative.format(Math.trunc(ms / length), unit);
  return ms > 0 ? "in less than a minute" : "just now";
}

export function localTime(iso: string): string {
  return local.format(new Date(iso));
}

export function count(value: number): string {
  return value < 10_000 ? whole.format(value) : short.format(value);
}

/** `0.4 s`, `3 min 5 s`, `2 h 10 min`. */
export function duration(ms: number): string {
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function percent(part: number): string {
  return `${Math.round(100 * part)} %`;
}

/** `ada, grace`. */
export function namesText(names: readonly string[], none = "none"): string {
  return names.length === 0 ? none : names.join(", ");
}

/** `requests 60/min, concurrency 4`: limits and guards as they are written. */
export function amounts(of: Readonly<Record<string, unknown>>): string {
  const set = Object.entries(of).filter(([, value]) => value !== undefined);
  return namesText(set.map(([name, value]) => `${name} ${Array.isArray(value) ? value.join("+") : String(value)}`));
}
