/** What the data plane knows of traces: an identity per exchange, and a header for the upstream. What becomes of it is not its business. */
import type { Exchange } from "./exchange.ts";

/** Ids are lower-case hex: 32 digits for the trace, 16 for a span. */
export interface TraceIdentity {
  readonly traceId: string;
  readonly spanId: string;
  /** The caller's span; null where this one begins the trace. */
  readonly parentSpanId: string | null;
  /** False where the caller said that this trace is not kept. */
  readonly isSampled: boolean;
}

export interface Tracing {
  /** Gives the exchange its identity (once) and answers the `traceparent` for the upstream. */
  begin(exchange: Exchange): string;
}
