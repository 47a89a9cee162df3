/** `traceparent` of W3C Trace Context, version 00, read strictly: anything else is as if there were none. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

const FORM = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);
const SAMPLED = 1;

/** The header as node gives it; a repeated one is joined by a comma and so is invalid. */
export function parseTraceParent(header: string | readonly string[] | undefined): TraceParent | undefined {
  const parts = typeof header === "string" ? FORM.exec(header) : null;
  if (!parts || parts[1] === NO_TRACE || parts[2] === NO_SPAN) return undefined;
  return { traceId: parts[1]!, spanId: parts[2]!, isSampled: (Number.parseInt(parts[3]!, 16) & SAMPLED) === SAMPLED };
}

export function formatTraceParent({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}
