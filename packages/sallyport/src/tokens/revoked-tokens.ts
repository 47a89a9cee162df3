/** Tokens that were ended before their time. Kept in memory and on disk for as long as each would have lived. */
import type { ImageOf, View } from "../changes/image.ts";
import type { Clock } from "../kernel/clock.ts";
import type { RevokedToken } from "./operations.ts";

/** Every so many new ones, those that have expired by themselves are let go. */
const TIDY_EVERY = 1_024;

export class RevokedTokens implements View<"revoked_token"> {
  readonly name = "revoked_tokens";
  readonly hears = ["revoked_token"] as const;
  readonly #clock: Clock;
  readonly #read: () => readonly RevokedToken[];
  /** Epoch ms, by `environment/id`. */
  readonly #until = new Map<string, number>();
  #added = 0;

  constructor(clock: Clock, read: () => readonly RevokedToken[]) {
    this.#clock = clock;
    this.#read = read;
    this.rebuild();
  }

  has(environment: string, id: string): boolean {
    return this.#until.has(`${environment}/${id}`);
  }

  apply(images: readonly ImageOf<"revoked_token">[]): void {
    for (const { now } of images) this.#add(now);
  }

  rebuild(): void {
    this.#until.clear();
    for (const token of this.#read()) this.#add(token);
  }

  #add({ environment, id, expiresAt }: RevokedToken): void {
    this.#until.set(`${environment}/${id}`, expiresAt);
    if (++this.#added % TIDY_EVERY !== 0) return;
    const now = this.#clock.now();
    for (const [name, until] of this.#until) if (until <= now) this.#until.delete(name);
  }
}
