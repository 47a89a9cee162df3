/** What the data plane knows of traces: an identity per exchange, and a header for the upstream. What becomes of it is not its business. */
import type { Exchange } from "./exchange.ts";

export interface Tracing {
  /** Gives the exchange its identity (once) and answers the `traceparent` for the upstream. */
  begin(exchange: Exchange): string;
}
