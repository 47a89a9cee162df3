/**
 * Sends events by e-mail: one mail each, up to a maximum per hour; further ones wait and become one digest. The audit
 * log has every event: the queue is bounded and in memory, and what cannot be delivered within some hours, or waits
 * when the program stops, is logged and dropped.
 */
import type { LedgerEvent } from "../../audit/event.ts";
import type { Clock } from "../../kernel/clock.ts";
import { digestOf, mailOf } from "./mail-text.ts";
import type { MailText } from "./mail-text.ts";
import { noticeTypes } from "./notice-types.ts";
import { ATTEMPTS, NOTICES_MAX, retryWaitMs } from "./retry.ts";

export interface Letter extends MailText {
  /** The same when it is sent again, so that a mail program shows it once. */
  readonly id: string;
}

export interface MailSender {
  /** Rejects, with a reason that may be logged, where the server did not take it. */
  send(letter: Letter): Promise<void>;
  close(): void;
}

export interface MailPorts {
  readonly clock: Pick<Clock, "monotonic">;
  readonly sender: MailSender;
  readonly newId: () => string;
  /** Runs `then` after `ms`, unless it is cancelled before. */
  readonly after: (ms: number, then: () => void) => { cancel(): void };
  /** Delivery fails (the first time since it worked), works again, or was given up. */
  readonly onTrouble: (reason: string) => void;
  readonly onRecovery: () => void;
  readonly onDropped: (type: string, reason: string) => void;
}

export const MAILS_AN_HOUR = 20;
const HOUR_MS = 3_600_000;

/** What goes in one mail, and how often it was tried. */
interface Turn {
  readonly events: readonly LedgerEvent[];
  readonly letter: Letter;
  attempts: number;
}

export class Mail {
  readonly #ports: MailPorts;
  readonly #waiting: LedgerEvent[] = [];
  /** When each mail of the last hour went, by the monotonic clock. */
  readonly #sentAt: number[] = [];
  #turn: Turn | null = null;
  #isHeldBack = false;
  #isSending = false;
  #isInTrouble = false;
  #isClosed = false;
  #timer: { cancel(): void } | null = null;

  constructor(ports: MailPorts) {
    this.#ports = ports;
  }

  get queued(): number {
    return this.#waiting.length + (this.#turn?.events.length ?? 0);
  }

  /** Queues the events that cause notices and skips the others. */
  tell(events: readonly LedgerEvent[]): void {
    for (const event of events) {
      if (!noticeTypes.has(event.type)) continue;
      if (this.queued >= NOTICES_MAX || this.#isClosed) this.#ports.onDropped(event.type, "the queue is full");
      else this.#waiting.push(event);
    }
    this.#send();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#drop([...(this.#turn?.events ?? []), ...this.#waiting.splice(0)], "the program stops");
    this.#turn = null;
    this.#ports.sender.close();
  }

  #send(): void {
    if (this.#isSending || this.#timer || this.#isClosed) return;
    const turn = (this.#turn ??= this.#next());
    if (!turn) return;
    this.#isSending = true;
    turn.attempts++;
    void this.#try(turn.letter).then((reason) => {
      this.#isSending = false;
      if (this.#isClosed) return;
      if (reason === null) this.#delivered();
      else this.#failed(turn, reason);
      this.#send();
    });
  }

  /** The next mail; null when nothing waits or the hour is used up, and then all that waits by its end is one. */
  #next(): Turn | null {
    if (this.#waiting.length === 0) return null;
    const now = this.#ports.clock.monotonic();
    while (this.#sentAt.length > 0 && now - this.#sentAt[0]! >= HOUR_MS) this.#sentAt.shift();
    if (this.#sentAt.length >= MAILS_AN_HOUR) {
      this.#isHeldBack = true;
      this.#wait(this.#sentAt[0]! + HOUR_MS - now);
      return null;
    }
    const events = this.#waiting.splice(0, this.#isHeldBack ? this.#waiting.length : 1);
    this.#isHeldBack = false;
    const said = events.length === 1 ? mailOf(events[0]!) : digestOf(events);
    return { events, letter: { ...said, id: this.#ports.newId() }, attempts: 0 };
  }

  /** Null when it was taken, else why not. */
  async #try(letter: Letter): Promise<string | null> {
    try {
      await this.#ports.sender.send(letter);
      return null;
    } catch (cause) {
      return cause instanceof Error ? cause.message || cause.name : String(cause);
    }
  }

  #delivered(): void {
    this.#turn = null;
    this.#sentAt.push(this.#ports.clock.monotonic());
    if (this.#isInTrouble) this.#ports.onRecovery();
    this.#isInTrouble = false;
  }

  #failed(turn: Turn, reason: string): void {
    if (!this.#isInTrouble) this.#ports.onTrouble(reason);
    this.#isInTrouble = true;
    if (turn.attempts < ATTEMPTS) return this.#wait(retryWaitMs(turn.attempts));
    this.#turn = null;
    this.#drop(turn.events, reason);
  }

  #wait(ms: number): void {
    this.#timer = this.#ports.after(ms, () => {
      this.#timer = null;
      this.#send();
    });
  }

  #drop(events: readonly LedgerEvent[], reason: string): void {
    for (const { type } of events) this.#ports.onDropped(type, reason);
  }
}
