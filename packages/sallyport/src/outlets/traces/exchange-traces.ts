/**
 * Traces of exchanges: a caller's well-formed `traceparent` is gone on with, else a trace begins here. A span is made when
 * the exchange is over. Who showed no genuine key gets none: a flood of strangers is counted in metrics, not delivered.
 */
import { randomBytes } from "node:crypto";
import type { Ending, EndListener } from "../../dataplane/ending.ts";
import type { Exchange, TraceIdentity } from "../../dataplane/exchange.ts";
import type { Tracing } from "../../dataplane/trace.ts";
import { exchangeSpan } from "./exchange-span.ts";
import type { Span } from "./exchange-span.ts";
import { formatTraceParent, parseTraceParent } from "./trace-parent.ts";

export class ExchangeTraces implements Tracing, EndListener {
  readonly #push: (span: Span) => void;

  constructor(push: (span: Span) => void) {
    this.#push = push;
  }

  begin(exchange: Exchange): string {
    return formatTraceParent((exchange.trace ??= identify(exchange)));
  }

  ended(exchange: Exchange, ending: Ending, totalMs: number): void {
    if (exchange.key === null || exchange.endpoint === null) return;
    const trace = (exchange.trace ??= identify(exchange));
    if (trace.isSampled) this.#push(exchangeSpan(exchange, trace, ending, totalMs));
  }
}

function identify({ request }: Exchange): TraceIdentity {
  const parent = parseTraceParent(traceParentOf(request.rawHeaders));
  return {
    traceId: parent?.traceId ?? randomBytes(16).toString("hex"),
    spanId: randomBytes(8).toString("hex"),
    parentSpanId: parent?.spanId ?? null,
    isSampled: parent?.isSampled ?? true,
  };
}

/** Sent twice, it names two callers, and so none. */
function traceParentOf(rawHeaders: readonly string[]): string | undefined {
  let found: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.toLowerCase() !== "traceparent") continue;
    if (found !== undefined) return undefined;
    found = rawHeaders[i + 1];
  }
  return found;
}
