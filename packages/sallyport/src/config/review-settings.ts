/** The items of the setting `reviews`: access reviews that start by themselves. */
import { z } from "zod";
import { isEnvironmentName } from "@sallyport/protocol";
import { parseDurationMs } from "@sallyport/contract";
import type { ReviewSchedule } from "../reviews/review-dates.ts";

const DAY_MS = 86_400_000;
const SCHEDULES_MAX = 64;

const schedule = z.strictObject({
  environment: z.string().refine(isEnvironmentName, "is not an environment name"),
  every: z.enum(["quarterly", "monthly"]),
  scope: z.enum(["all", "privileged"]).default("all"),
  due: z
    .string()
    .refine((text) => {
      const ms = parseDurationMs(text) ?? 0;
      return ms >= DAY_MS && ms <= 28 * DAY_MS;
    }, "is not a duration from 1d to 28d")
    .default("14d"),
  reviewers: z.array(z.string().min(1).max(128)).max(50).default([]),
});

export const reviewList = z
  .array(schedule)
  .max(SCHEDULES_MAX)
  .superRefine((items, context) => {
    const seen = new Set<string>();
    for (const [at, { environment, scope, every }] of items.entries()) {
      const name = `${environment}/${scope}/${every}`;
      if (seen.has(name)) context.addIssue({ code: "custom", path: [at], message: "is there twice" });
      seen.add(name);
    }
  });

export function readSchedules(items: z.output<typeof reviewList>): ReviewSchedule[] {
  return items.map(({ due, ...item }) => ({ ...item, dueMs: parseDurationMs(due) ?? DAY_MS }));
}
