/**
 * An exchange that is over, as one span of OTLP's JSON form: the GenAI semantic conventions' names where they have one,
 * `sallyport.` before our own. Times are the exchange's own. Of prompts, answers, credentials and addresses there is nothing.
 */
import type { Ending } from "../../dataplane/ending.ts";
import type { Exchange, TraceIdentity } from "../../dataplane/exchange.ts";
import type { Endpoint } from "../../dataplane/wire/endpoint.ts";

type Value = { readonly stringValue: string } | { readonly intValue: string } | { readonly boolValue: boolean };

export interface Attribute {
  readonly key: string;
  readonly value: Value;
}

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly events: readonly { readonly timeUnixNano: string; readonly name: string }[];
  readonly status: { readonly code?: number };
}

const KIND_SERVER = 2;
const STATUS_ERROR = 2;

/** The conventions' operations, by the permission that opens the endpoint. */
const OPERATIONS: Readonly<Record<string, string>> = {
  "infer:chat": "chat",
  "infer:generate": "text_completion",
  "infer:embed": "embeddings",
  "infer:audio": "transcription",
};

/** A denial is no error of the server; neither is a client that disconnected or lost its permission. */
const ERRORS: ReadonlySet<Ending> = new Set<Ending>([
  "fault", "upstream_error", "incomplete", "unreachable", "timed_out", "broken", "not_recorded",
]); // prettier-ignore

export function exchangeSpan(
  exchange: Exchange,
  { traceId, spanId, parentSpanId }: TraceIdentity,
  ending: Ending,
  totalMs: number,
): Span {
  const endpoint = exchange.endpoint!;
  const operation = operationOf(endpoint);
  const model = exchange.understood?.model?.key;
  const method = exchange.request.method ?? "";
  return {
    traceId,
    spanId,
    ...(parentSpanId === null ? {} : { parentSpanId }),
    name: operation && model ? `${operation} ${model}` : `${method} ${routeOf(endpoint)}`,
    kind: KIND_SERVER,
    startTimeUnixNano: nanoseconds(exchange.at),
    endTimeUnixNano: nanoseconds(exchange.at + totalMs),
    attributes: attributesOf(exchange, ending, operation, model),
    events:
      exchange.upstreamStatus > 0
        ? [{ timeUnixNano: nanoseconds(exchange.at + exchange.firstByteMs), name: "first_byte" }]
        : [],
    status: ERRORS.has(ending) ? { code: STATUS_ERROR } : {},
  };
}

function attributesOf(
  exchange: Exchange,
  ending: Ending,
  operation: string | undefined,
  model: string | undefined,
): Attribute[] {
  const { key, usage, upstream, refusal, response } = exchange;
  const endpoint = exchange.endpoint!;
  const attributes: Attribute[] = [];
  const add = (name: string, value: string | number | boolean | undefined): void => {
    if (value !== undefined) attributes.push(attribute(name, value));
  };
  add("gen_ai.operation.name", operation);
  if (operation !== undefined) {
    add("gen_ai.provider.name", "ollama");
    add("gen_ai.request.model", model);
    add("sallyport.stream", exchange.understood?.isStream);
  }
  add("gen_ai.usage.input_tokens", usage?.inputTokens);
  add("gen_ai.usage.output_tokens", usage?.outputTokens);
  add("http.request.method", exchange.request.method);
  add("http.route", routeOf(endpoint));
  add("http.response.status_code", response.headersSent ? response.statusCode : undefined);
  add("error.type", refusal?.code ?? (ERRORS.has(ending) ? ending : undefined));
  add("sallyport.request.id", exchange.id);
  add("sallyport.environment", key!.environment);
  add("sallyport.key.id", key!.id);
  add("sallyport.endpoint", endpoint.id);
  add("sallyport.dialect", endpoint.dialect);
  add("sallyport.upstream", upstream?.spec.id);
  add("sallyport.outcome", ending);
  add("sallyport.usage.is_estimated", usage?.isEstimated);
  add("sallyport.sent_bytes", exchange.sentBytes);
  return attributes;
}

export function attribute(key: string, value: string | number | boolean): Attribute {
  if (typeof value === "string") return { key, value: { stringValue: value } };
  // 64-bit integers are texts in the JSON form of protocol buffers.
  return { key, value: typeof value === "number" ? { intValue: String(value) } : { boolValue: value } };
}

function operationOf({ anyOf }: Endpoint): string | undefined {
  for (const permission of anyOf) if (permission in OPERATIONS) return OPERATIONS[permission];
  return undefined;
}

function routeOf({ path, parameter }: Endpoint): string {
  return parameter === "none" ? path : `${path}{${parameter}}`;
}

/** Epoch ms with parts of one, to microseconds: what a number can still tell exactly. */
function nanoseconds(epochMs: number): string {
  return `${Math.round(epochMs * 1000)}000`;
}
