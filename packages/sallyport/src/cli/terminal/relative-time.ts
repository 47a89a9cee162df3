/** A time in a table: how far it is from now, in its largest unit. The exact time is in `show` and with `--json`. */

const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** `iso` is RFC 3339; null is `never`. */
export function relativeTime(iso: string | null, nowMs = Date.now()): string {
  if (iso === null) return "never";
  const distanceMs = Date.parse(iso) - nowMs;
  // Text that is no time is shown as it came.
  if (Number.isNaN(distanceMs)) return iso;
  const size = Math.abs(distanceMs);
  if (size < 1_000) return "now";
  const [name, unitMs] = units.find(([, ms]) => size >= ms) ?? units.at(-1)!;
  const count = Math.floor(size / unitMs);
  const text = `${count} ${name}${count === 1 ? "" : "s"}`;
  return distanceMs > 0 ? `in ${text}` : `${text} ago`;
}
