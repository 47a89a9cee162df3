/** Log records over OTLP/HTTP in JSON (opentelemetry-proto 1.x, logs/v1): the body is the record's text, its facts are attributes. */
import type { SendBounded } from "../../kernel/bounded-request.ts";
import type { Secret } from "../../kernel/secret.ts";
import { severityOf } from "./outgoing.ts";
import { judgeStatus } from "./sink.ts";
import type { Delivered, Outgoing, Sink } from "./sink.ts";

export interface OtlpSinkOptions {
  /** `/v1/logs` included. */
  readonly url: string;
  /** The whole `authorization` header; null = none. */
  readonly authorization: Secret | null;
  readonly resource: Readonly<Record<string, string>>;
  readonly send: SendBounded;
}

/** OCSF's severities 1 to 5 as OpenTelemetry's numbers: INFO, INFO2, WARN, ERROR, FATAL. */
const SEVERITIES = [9, 9, 10, 13, 17, 21] as const;

export class OtlpSink implements Sink {
  readonly batch = { records: 200, lingerMs: 0 };
  readonly #options: OtlpSinkOptions;

  constructor(options: OtlpSinkOptions) {
    this.#options = options;
  }

  async send(batch: readonly Outgoing[]): Promise<Delivered> {
    const { url, authorization, resource, send } = this.#options;
    const scopeLogs = [{ scope: { name: "sallyport.ledger" }, logRecords: batch.map(logRecord) }];
    const body = JSON.stringify({ resourceLogs: [{ resource: { attributes: attributes(resource) }, scopeLogs }] });
    const { status, text } = await send({
      method: "POST",
      url,
      body,
      headers: { "content-type": "application/json", ...(authorization && { authorization: authorization.reveal() }) },
    });
    const rejected = status === 200 ? rejectedIn(text) : 0;
    return rejected > 0 ? { kind: "refused", reason: `${rejected} rejected` } : judgeStatus(status);
  }

  async close(): Promise<void> {}
}

function logRecord({ uid, record, text }: Outgoing) {
  return {
    timeUnixNano: `${record.at}000000`,
    severityNumber: SEVERITIES[severityOf(record)] ?? 9,
    eventName: record.type,
    body: { stringValue: text },
    attributes: attributes({ "log.record.uid": uid, "sallyport.environment": record.environment }),
  };
}

function attributes(values: Readonly<Record<string, string>>) {
  return Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}

/** `{"partialSuccess":{"rejectedLogRecords":"3"}}`; a receiver that says something else has taken all. */
function rejectedIn(text: string): number {
  try {
    const said = JSON.parse(text) as { partialSuccess?: { rejectedLogRecords?: string | number } };
    const rejected = Number(said.partialSuccess?.rejectedLogRecords ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    return 0;
  }
}
