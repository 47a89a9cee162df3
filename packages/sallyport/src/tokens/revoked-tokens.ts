/** Tokens that were ended before their time. Kept in memory and on disk for as long as each would have lived. */
import type { Clock } from "../kernel/clock.ts";

export interface RevokedToken {
  readonly environment: string;
  readonly id: string;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

export class RevokedTokens {
  readonly #clock: Clock;
  readonly #until = new Map<string, number>();

  constructor(clock: Clock, held: readonly RevokedToken[]) {
    this.#clock = clock;
    for (const token of held) this.add(token);
  }

  has(environment: string, id: string): boolean {
    return this.#until.has(`${environment}/${id}`);
  }

  add({ environment, id, expiresAt }: RevokedToken): void {
    const nowSeconds = this.#clock.now() / 1_000;
    for (const [name, until] of this.#until) if (until <= nowSeconds) this.#until.delete(name);
    this.#until.set(`${environment}/${id}`, expiresAt);
  }
}
