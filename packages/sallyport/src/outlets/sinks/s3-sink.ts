/**
 * Objects of JSON lines in an S3-compatible store, one a batch, by path (`endpoint/bucket/key`). The key is made of the
 * day and the first and last record, so the same batch sent again replaces itself. Records wait a minute for company.
 */
import type { SendBounded } from "../../kernel/bounded-request.ts";
import type { Clock } from "../../kernel/clock.ts";
import { encodePath, signV4 } from "./sigv4.ts";
import type { SigV4Credential } from "./sigv4.ts";
import { judgeStatus } from "./sink.ts";
import type { Delivered, Outgoing, Sink } from "./sink.ts";

export interface S3SinkOptions {
  readonly endpoint: string;
  readonly bucket: string;
  /** Before each key; ends with `/` or is empty. */
  readonly prefix: string;
  readonly credential: SigV4Credential;
  readonly node: string;
  readonly clock: Clock;
  readonly send: SendBounded;
}

export class S3Sink implements Sink {
  readonly batch = { records: 2_000, lingerMs: 60_000 };
  readonly #options: S3SinkOptions;

  constructor(options: S3SinkOptions) {
    this.#options = options;
  }

  async send(batch: readonly Outgoing[]): Promise<Delivered> {
    const { endpoint, bucket, prefix, credential, node, clock, send } = this.#options;
    const [first, last] = [batch[0], batch.at(-1)];
    if (!first || !last) return { kind: "taken" };
    const day = new Date(first.record.at).toISOString().slice(0, 10).replaceAll("-", "/");
    const numbers = [first, last].map(({ record }) => String(record.seq).padStart(16, "0")).join("-");
    const path = encodePath(`/${bucket}/${prefix}${node}/${day}/${numbers}.jsonl`);
    const url = new URL(endpoint);
    url.pathname = `${url.pathname.replace(/\/$/, "")}${path}`;
    const body = batch.map(({ text }) => `${text}\n`).join("");
    const headers = { "content-type": "application/x-ndjson" };
    const signed = signV4({ method: "PUT", url, headers, body }, credential, clock.now());
    const { status } = await send({ method: "PUT", url: url.href, body, headers: signed });
    return judgeStatus(status);
  }

  async close(): Promise<void> {}
}
