/** Ids of accepted tokens, each for as long as it could come again. A full memory rejects, rather than forget one. */
import type { Clock } from "../kernel/clock.ts";

const CAPACITY = 65_536;

export class SeenTokens {
  readonly #clock: Pick<Clock, "now">;
  readonly #capacity: number;
  readonly #until = new Map<string, number>();

  constructor(clock: Pick<Clock, "now">, capacity: number = CAPACITY) {
    this.#clock = clock;
    this.#capacity = capacity;
  }

  has(issuer: string, id: string): boolean {
    const until = this.#until.get(`${issuer} ${id}`);
    return until !== undefined && until > this.#clock.now();
  }

  get isFull(): boolean {
    if (this.#until.size < this.#capacity) return false;
    const now = this.#clock.now();
    for (const [name, until] of this.#until) if (until <= now) this.#until.delete(name);
    return this.#until.size >= this.#capacity;
  }

  /** `until`: epoch ms. */
  add(issuer: string, id: string, until: number): void {
    this.#until.set(`${issuer} ${id}`, until);
  }
}
