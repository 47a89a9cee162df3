/** Windows of budgets. Minutes and hours are those of the clock; days, weeks and months those of a time zone. */

export interface CalendarWindow {
  /** Epoch ms, from and until. */
  readonly startMs: number;
  readonly endMs: number;
}

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** 1970-01-05 was a Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/** The window around `atMs`. Weeks begin on Monday (ISO 8601); a length of more than a week stands for a month. */
export function windowAt(atMs: number, lengthMs: number, zone: string): CalendarWindow {
  if (lengthMs < DAY_MS) {
    const startMs = Math.floor(atMs / lengthMs) * lengthMs;
    return { startMs, endMs: startMs + lengthMs };
  }
  const [localStart, localEnd] = localWindow(atMs + offsetMs(atMs, zone), lengthMs);
  return { startMs: asEpoch(localStart, zone), endMs: asEpoch(localEnd, zone) };
}

/** The same in ms of the zone's own clock, as if that were UTC. */
function localWindow(localMs: number, lengthMs: number): [number, number] {
  if (lengthMs === DAY_MS) {
    const start = Math.floor(localMs / DAY_MS) * DAY_MS;
    return [start, start + DAY_MS];
  }
  if (lengthMs === WEEK_MS) {
    const start = Math.floor((localMs - FIRST_MONDAY_MS) / WEEK_MS) * WEEK_MS + FIRST_MONDAY_MS;
    return [start, start + WEEK_MS];
  }
  const date = new Date(localMs);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return [Date.UTC(year, month, 1), Date.UTC(year, month + 1, 1)];
}

/** The offset is that of the day's beginning, which may differ from that of now where clocks change. */
function asEpoch(localMs: number, zone: string): number {
  const guess = localMs - offsetMs(localMs, zone);
  return localMs - offsetMs(guess, zone);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** How far the zone's clock is ahead of UTC at that time. */
function offsetMs(atMs: number, zone: string): number {
  if (zone === "UTC") return 0;
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-u-hc-h23", {
      timeZone: zone,
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(zone, format);
  }
  const part = Object.fromEntries(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
  const local = Date.UTC(part["year"]!, part["month"]! - 1, part["day"], part["hour"], part["minute"], part["second"]);
  return local - Math.floor(atMs / 1_000) * 1_000;
}
