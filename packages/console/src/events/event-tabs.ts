/**
 * The tabs that share the connection. One that is hidden is sent nothing; when it is shown again it learns what it
 * missed. A tab that does not say for long that it is there has gone.
 */
import type { TabMessage } from "./event-messages.ts";

interface Tab {
  readonly send: (message: TabMessage) => void;
  isShown: boolean;
  /** Something was not sent. */
  hasMissed: boolean;
  missedRequests: number;
  seenMs: number;
}

/** Browsers run the timers of hidden tabs once a minute. */
export const GONE_MS = 180_000;

export class EventTabs<Name> {
  readonly #tabs = new Map<Name, Tab>();

  get size(): number {
    return this.#tabs.size;
  }

  /** A tab is there. True where it is new. */
  here(name: Name, send: Tab["send"], isShown: boolean, nowMs: number): boolean {
    const held = this.#tabs.get(name);
    if (!held) {
      this.#tabs.set(name, { send, isShown, hasMissed: false, missedRequests: 0, seenMs: nowMs });
      return true;
    }
    held.seenMs = nowMs;
    const isBack = isShown && !held.isShown && held.hasMissed;
    held.isShown = isShown;
    if (isBack) {
      send({ of: "reset", left: held.missedRequests });
      held.hasMissed = false;
      held.missedRequests = 0;
    }
    return false;
  }

  gone(name: Name): void {
    this.#tabs.delete(name);
  }

  /** Forgets those that were not heard of for long. */
  sweep(nowMs: number): void {
    for (const [name, { seenMs }] of this.#tabs) if (nowMs - seenMs > GONE_MS) this.#tabs.delete(name);
  }

  send(message: TabMessage): void {
    for (const tab of this.#tabs.values()) {
      // How the connection is, every tab hears: it costs nothing, and a hidden one asks nothing for it.
      if (tab.isShown || message.of === "state") tab.send(message);
      else {
        tab.hasMissed = true;
        if (message.of === "requests") tab.missedRequests += message.requests.length + message.left;
        if (message.of === "reset") tab.missedRequests += message.left;
      }
    }
  }
}
