/**
 * Sends events to a receiver, one POST each, signed as Standard Webhooks specifies: `webhook-id`, `webhook-timestamp`
 * and `webhook-signature: v1,<base64 HMAC-SHA-256 of id.timestamp.body>`. The audit log has every event: the queue is
 * bounded and in memory, and what cannot be delivered within some hours, or waits when the program stops, is logged and
 * dropped.
 */
import type { LedgerEvent } from "../../audit/event.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Poster } from "../../kernel/post-json.ts";
import type { Secret } from "../../kernel/secret.ts";
import { webhookHeaders } from "../../kernel/webhook-signature.ts";
import { noticeTypes } from "./notice-types.ts";
import { ATTEMPTS, NOTICES_MAX, retryWaitMs } from "./retry.ts";

export interface WebhookPorts {
  readonly clock: Clock;
  readonly poster: Poster;
  readonly secret: Secret;
  readonly newId: () => string;
  /** Runs `then` after `ms`, unless it is cancelled before. */
  readonly after: (ms: number, then: () => void) => { cancel(): void };
  /** Delivery fails (the first time since it worked), works again, or was given up. */
  readonly onTrouble: (reason: string) => void;
  readonly onRecovery: () => void;
  readonly onDropped: (type: string, reason: string) => void;
}

interface Notice {
  readonly id: string;
  readonly type: string;
  readonly body: string;
  attempts: number;
}

export class Webhook {
  readonly #ports: WebhookPorts;
  readonly #queue: Notice[] = [];
  #isSending = false;
  #isInTrouble = false;
  #isClosed = false;
  #timer: { cancel(): void } | null = null;

  constructor(ports: WebhookPorts) {
    this.#ports = ports;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Queues the events that cause notices and skips the others. */
  tell(events: readonly LedgerEvent[]): void {
    for (const event of events) {
      if (!noticeTypes.has(event.type)) continue;
      if (this.#queue.length >= NOTICES_MAX || this.#isClosed) this.#ports.onDropped(event.type, "the queue is full");
      else this.#queue.push(this.#noticeOf(event));
    }
    this.#send();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const { type } of this.#queue.splice(0)) this.#ports.onDropped(type, "the program stops");
    this.#ports.poster.close();
  }

  #noticeOf({ type, at, environment, actor, fields }: LedgerEvent): Notice {
    const body = JSON.stringify({
      type,
      timestamp: new Date(at).toISOString(),
      data: { environment, actor, ...fields },
    });
    return { id: `msg_${this.#ports.newId()}`, type, body, attempts: 0 };
  }

  #send(): void {
    const notice = this.#queue[0];
    if (!notice || this.#isSending || this.#timer || this.#isClosed) return;
    this.#isSending = true;
    notice.attempts++;
    void this.#post(notice).then((reason) => {
      this.#isSending = false;
      if (this.#isClosed) return;
      if (reason === null) this.#delivered();
      else this.#failed(notice, reason);
      this.#send();
    });
  }

  /** Null when it was taken, else why not. */
  async #post({ id, body }: Notice): Promise<string | null> {
    const headers = webhookHeaders(this.#ports.secret, id, this.#ports.clock.now(), body);
    try {
      const { status } = await this.#ports.poster.post(body, headers);
      return status >= 200 && status < 300 ? null : `status ${status}`;
    } catch (cause) {
      return cause instanceof Error ? cause.message || cause.name : String(cause);
    }
  }

  #delivered(): void {
    this.#queue.shift();
    if (this.#isInTrouble) this.#ports.onRecovery();
    this.#isInTrouble = false;
  }

  #failed(notice: Notice, reason: string): void {
    if (!this.#isInTrouble) this.#ports.onTrouble(reason);
    this.#isInTrouble = true;
    if (notice.attempts >= ATTEMPTS) {
      this.#queue.shift();
      this.#ports.onDropped(notice.type, reason);
      return;
    }
    this.#timer = this.#ports.after(retryWaitMs(notice.attempts), () => {
      this.#timer = null;
      this.#send();
    });
  }
}
