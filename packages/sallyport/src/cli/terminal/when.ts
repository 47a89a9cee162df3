/** A time as a person writes it. */
import { parseDurationMs } from "@sallyport/contract/duration";
import { UsageMistake } from "./usage-mistake.ts";

/** A duration back from now, or a time; epoch ms. */
export function timeMsOf(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const agoMs = parseDurationMs(text);
  const timeOf = agoMs === undefined ? Date.parse(text) : now - agoMs;
  if (Number.isNaN(timeOf))
    throw new UsageMistake(
      `${JSON.stringify(text)} is neither a duration nor a time`,
      "write a duration back from now, such as 7d, or a time, such as 2026-01-31T12:00Z",
    );
  return timeOf;
}
