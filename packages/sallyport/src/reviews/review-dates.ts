/** When reviews start by themselves and when their reviewers are reminded. Pure; times in epoch ms, days in UTC. */
import type { ReviewRecord, ReviewScope } from "./review.ts";

const DAY_MS = 86_400_000;
/** Days before the end. */
export const REMINDER_DAYS = [7, 3, 1] as const;

/** As policy has it for an environment. */
export interface ReviewRhythm {
  readonly every: "monthly" | "quarterly";
  readonly scope: ReviewScope;
  readonly dueMs: number;
  /** Names or ids of admin keys; empty = every admin key that may decide. */
  readonly reviewers: readonly string[];
}

export interface ReviewSchedule extends ReviewRhythm {
  readonly environment: string;
}

/** Of all environments, in their order. */
export function schedulesOf(
  environments: Iterable<{ readonly name: string; readonly reviews?: readonly ReviewRhythm[] }>,
): ReviewSchedule[] {
  return [...environments].flatMap(({ name, reviews = [] }) => reviews.map((one) => ({ ...one, environment: name })));
}

export function scheduleName({ environment, scope, every }: ReviewSchedule): string {
  return `${environment}/${scope}/${every}`;
}

/** The start of the month or quarter. */
export function periodStart(every: ReviewSchedule["every"], now: number): number {
  const date = new Date(now);
  const month = date.getUTCMonth();
  return Date.UTC(date.getUTCFullYear(), every === "monthly" ? month : month - (month % 3));
}

/** Once in each period: an earlier clock does not start a second one. */
export function isDue(
  schedule: ReviewSchedule,
  started: Iterable<Pick<ReviewRecord, "schedule" | "startedAt" | "state">>,
  now: number,
): boolean {
  const from = periodStart(schedule.every, now);
  for (const review of started)
    if (review.schedule === scheduleName(schedule) && review.state !== "abandoned" && review.startedAt >= from)
      return false;
  return true;
}

/** The reminders that are over with, and the one to give now; undefined where none is due. */
export function dueReminder(
  { startedAt, dueAt, reminded }: Pick<ReviewRecord, "startedAt" | "dueAt" | "reminded">,
  now: number,
): { readonly days: number; readonly reminded: readonly number[] } | undefined {
  const passed = REMINDER_DAYS.filter((days) => now >= dueAt - days * DAY_MS);
  // A review that lasts two days has no reminder a week before its end.
  const fitting = passed.filter((days) => startedAt < dueAt - days * DAY_MS && !reminded.includes(days));
  const days = fitting.at(-1);
  return days === undefined || now >= dueAt ? undefined : { days, reminded: [...new Set([...reminded, ...passed])] };
}
