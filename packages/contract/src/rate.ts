/** How often something may happen, as people write it: `60/min`, `5/s`, `1000/h`, `20000/day`. */
const WINDOWS_MS = {
  s: 1_000,
  sec: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  week: 604_800_000,
  month: 2_592_000_000,
};
type Window = keyof typeof WINDOWS_MS;

export const RATE_FORM = /^([1-9][0-9]{0,8})\/(s|sec|m|min|h|hour|d|day|week|month)$/;

export interface Rate {
  readonly count: number;
  readonly windowMs: number;
}

/** Undefined for a text that is no rate. */
export function parseRate(text: string): Rate | undefined {
  const parts = RATE_FORM.exec(text);
  if (!parts) return undefined;
  return { count: Number(parts[1]), windowMs: WINDOWS_MS[parts[2] as Window] };
}

/** `60/min` for a window that has a name, `60/90s` for one that has none (such a text is never read back). */
export function formatRate(rate: Rate): string {
  for (const name of ["s", "min", "h", "day", "week", "month"] as const) {
    if (WINDOWS_MS[name] === rate.windowMs) return `${rate.count}/${name}`;
  }
  return `${rate.count}/${rate.windowMs / 1_000}s`;
}
