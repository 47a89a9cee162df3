/** Sends all metrics to an OTLP/HTTP receiver at regular intervals, and once more at the end. */
import type { Poster } from "../../kernel/post-json.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { otlpMetric } from "./otlp-metrics.ts";
import type { Registry } from "./registry.ts";

/** The longest that a receiver may hold up the end of the gateway. */
const CLOSE_MS = 2_000;

export interface MetricExporterPorts {
  readonly registry: Pick<Registry, "families">;
  readonly poster: Poster;
  /** Epoch ms. */
  readonly now: () => number;
  /** Runs `then` each `ms` until it is cancelled. */
  readonly every: (ms: number, then: () => void) => { cancel(): void };
  /** Delivery fails (the first time since it worked), or works again. */
  readonly onTrouble: (reason: string) => void;
  readonly onRecovery: () => void;
  /** `service.name` and what else describes this process. */
  readonly resource: Readonly<Record<string, string>>;
}

export class MetricExporter {
  readonly #ports: MetricExporterPorts;
  readonly #startedAt: number;
  readonly #timer: { cancel(): void };
  #sending: Promise<void> | null = null;
  #isInTrouble = false;
  exported = 0;
  failed = 0;

  constructor(ports: MetricExporterPorts, intervalMs: number) {
    this.#ports = ports;
    this.#startedAt = ports.now();
    this.#timer = ports.every(intervalMs, () => void this.export());
  }

  /** One export. A receiver that is slower than the interval gets no second one meanwhile. */
  export(): Promise<void> {
    this.#sending ??= this.#send().finally(() => (this.#sending = null));
    return this.#sending;
  }

  /** The last export, if that does not take long. */
  async close(): Promise<void> {
    this.#timer.cancel();
    const last = (this.#sending ?? Promise.resolve()).then(() => this.export());
    await Promise.race([last, new Promise((resolve) => void setTimeout(resolve, CLOSE_MS).unref())]);
    this.#ports.poster.close();
  }

  async #send(): Promise<void> {
    const reason = await this.#post().catch((cause: unknown) => String(cause));
    if (reason === undefined) {
      this.exported++;
      if (this.#isInTrouble) this.#ports.onRecovery();
    } else {
      this.failed++;
      if (!this.#isInTrouble) this.#ports.onTrouble(reason);
    }
    this.#isInTrouble = reason !== undefined;
  }

  /** Why they were not delivered; undefined if they were. */
  async #post(): Promise<string | undefined> {
    const { registry, poster, now, resource } = this.#ports;
    const times = { startedAt: this.#startedAt, at: now() };
    const metrics: string[] = [];
    await new LongWork().each(registry.families(), (family) => metrics.push(otlpMetric(family, times)));
    const attributes = Object.entries(resource).map(([key, value]) => ({ key, value: { stringValue: value } }));
    const about = `{"resource":${JSON.stringify({ attributes })},"scopeMetrics":[{"scope":{"name":"sallyport"},`;
    const text = `{"resourceMetrics":[${about}"metrics":[${metrics.join(",")}]}]}]}`;
    const { status } = await poster.post(text);
    return status >= 200 && status < 300 ? undefined : `status ${status}`;
  }
}
