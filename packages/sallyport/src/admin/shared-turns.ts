/**
 * Work for callers who have not proved who they are, a few at a time. Networks take turns, so that one of them cannot keep
 * the others waiting, and each may have only so much waiting: more than that is rejected for that network alone.
 */
import { Problem } from "@sallyport/protocol";

const AT_ONCE = 4;
const WAITING_PER_NETWORK = 64;
const WAITING_MAX = 2_048;

export class SharedTurns {
  readonly #waiting = new Map<string, (() => void)[]>();
  #running = 0;
  #waits = 0;

  /** Throws `rate_limited` where the network has too much waiting already. */
  async run<T>(network: string, work: () => Promise<T>): Promise<T> {
    if (this.#running >= AT_ONCE) await this.#wait(network);
    else this.#running++;
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  #wait(network: string): Promise<void> {
    const held = this.#waiting.get(network) ?? [];
    if (held.length >= WAITING_PER_NETWORK || this.#waits >= WAITING_MAX) throw new Problem("rate_limited");
    this.#waits++;
    return new Promise((begin) => {
      held.push(begin);
      this.#waiting.set(network, held);
    });
  }

  /** The turn goes to the network that has waited longest for one; it is then the last in the row. */
  #next(): void {
    const [first] = this.#waiting;
    if (!first) {
      this.#running--;
      return;
    }
    const [network, held] = first;
    const begin = held.shift();
    this.#waiting.delete(network);
    if (held.length > 0) this.#waiting.set(network, held);
    this.#waits--;
    begin?.();
  }
}
