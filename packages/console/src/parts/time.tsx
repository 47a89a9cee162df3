/** A time as it is read, with the exact one in UTC on hover and for machines. */
import type { ReactNode } from "react";
import { localTime, relativeTime } from "../words.ts";

export function Time({ at, never = "never" }: { readonly at: string | null; readonly never?: string }): ReactNode {
  if (at === null) return <span className="quiet">{never}</span>;
  return (
    <time dateTime={at} title={`${localTime(at)} (${at})`}>
      {relativeTime(at, Date.now())}
    </time>
  );
}
