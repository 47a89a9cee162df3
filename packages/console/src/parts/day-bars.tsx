/** Counts of days as bars, today last. A screen reader says the sum, the most and today's. */
import type { ReactNode } from "react";
import { count } from "../words.ts";

interface DayBarsProps {
  /** One count a day. */
  readonly days: readonly number[];
  /** `requests with my-app` */
  readonly what: string;
}

const BAR = 3;
const HEIGHT = 18;

export function DayBars({ days, what }: DayBarsProps): ReactNode {
  const most = Math.max(0, ...days);
  if (most === 0) return null;
  const sum = days.reduce((all, day) => all + day, 0);
  const ago = days.length - 1 - days.lastIndexOf(most);
  const when = ago === 0 ? "today" : ago === 1 ? "yesterday" : `${ago} days ago`;
  const says = `${count(sum)} ${what} in ${days.length} days, most (${count(most)}) ${when}, today ${count(days.at(-1)!)}`;
  return (
    <svg className="bars" role="img" aria-label={says} width={days.length * BAR} height={HEIGHT}>
      {days.map((day, at) => {
        // What is not nothing is seen.
        const height = day === 0 ? 0 : Math.max(1, Math.round((day / most) * HEIGHT));
        return <rect key={at} x={at * BAR} y={HEIGHT - height} width={BAR - 1} height={height} />;
      })}
    </svg>
  );
}
