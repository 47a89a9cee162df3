/** Lengths of time as people write them: `90d`, `12h`, `15m`, `30s`, `500ms`. One number and one unit, nothing else. */
const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNITS;

export const DURATION_FORM = /^(0|[1-9][0-9]{0,8})(ms|s|m|h|d)$/;

/** Milliseconds, or undefined for a text that is no duration. */
export function parseDurationMs(text: string): number | undefined {
  const parts = DURATION_FORM.exec(text);
  if (!parts) return undefined;
  return Number(parts[1]) * UNITS[parts[2] as Unit];
}

/** The shortest exact writing of whole milliseconds: 5 400 000 is `90m`, 7 776 000 000 is `90d`. */
export function formatDurationMs(durationMs: number): string {
  for (const unit of ["d", "h", "m", "s"] as const) {
    if (durationMs >= UNITS[unit] && durationMs % UNITS[unit] === 0) return `${durationMs / UNITS[unit]}${unit}`;
  }
  return durationMs === 0 ? "0s" : `${durationMs}ms`;
}
