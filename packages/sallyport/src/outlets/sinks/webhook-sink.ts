/**
 * CloudEvents 1.0 in batches (`application/cloudevents-batch+json`), signed as notices are. The message's id follows from
 * the records in it, so the same batch sent again has the same id.
 */
import { createHash } from "node:crypto";
import type { SendBounded } from "../../kernel/bounded-request.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Secret } from "../../kernel/secret.ts";
import { webhookHeaders } from "../../kernel/webhook-signature.ts";
import { judgeStatus } from "./sink.ts";
import type { Delivered, Outgoing, Sink } from "./sink.ts";

export interface WebhookSinkOptions {
  readonly url: string;
  readonly secret: Secret;
  readonly node: string;
  readonly clock: Clock;
  readonly send: SendBounded;
}

export class WebhookSink implements Sink {
  readonly batch = { records: 100, lingerMs: 0 };
  readonly #options: WebhookSinkOptions;

  constructor(options: WebhookSinkOptions) {
    this.#options = options;
  }

  async send(batch: readonly Outgoing[]): Promise<Delivered> {
    const { url, secret, node, clock, send } = this.#options;
    const body = `[${batch.map((one) => cloudEvent(one, node)).join(",")}]`;
    const uids = createHash("sha256").update(batch.map(({ uid }) => uid).join("\n"));
    const signed = webhookHeaders(secret, `msg_${uids.digest("hex").slice(0, 32)}`, clock.now(), body);
    const headers = { "content-type": "application/cloudevents-batch+json; charset=utf-8", ...signed };
    const { status } = await send({ method: "POST", url, body, headers });
    return judgeStatus(status);
  }

  async close(): Promise<void> {}
}

function cloudEvent({ uid, record, text }: Outgoing, node: string): string {
  const envelope = {
    specversion: "1.0",
    id: uid,
    source: `/sallyport/${encodeURIComponent(node)}`,
    type: `sallyport.${record.type}`,
    subject: record.environment,
    time: new Date(record.at).toISOString(),
    datacontenttype: "application/json",
  };
  return `${JSON.stringify(envelope).slice(0, -1)},"data":${text}}`;
}
