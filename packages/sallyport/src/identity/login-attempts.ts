/** Browsers that are away, at the identity provider or at a form: what each must bring back, bound to the browser it was given to. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Clock } from "../kernel/clock.ts";
import type { LoginChecks } from "./oidc-client.ts";

export interface LoginAttempt {
  readonly environment: string;
  readonly userCode: string;
  readonly checks: LoginChecks;
}

interface Held<T> {
  readonly attempt: T;
  /** SHA-256 of the cookie. */
  readonly browser: Buffer;
  readonly expiresAt: number;
}

const LIFE_MS = 10 * 60_000;
const HELD_MAX = 1_000;

export class LoginAttempts<T extends object = LoginAttempt> {
  readonly #clock: Pick<Clock, "now">;
  readonly #held = new Map<string, Held<T>>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** False while too many are away already. */
  keep(state: string, attempt: T, cookie: string): boolean {
    const now = this.#clock.now();
    for (const [old, held] of this.#held) if (held.expiresAt <= now) this.#held.delete(old);
    if (this.#held.size >= HELD_MAX) return false;
    this.#held.set(state, { attempt, browser: hashOf(cookie), expiresAt: now + LIFE_MS });
    return true;
  }

  /** Once, and only by the browser that left. */
  take(state: string, cookie: string): T | undefined {
    const held = this.#held.get(state);
    if (!held || held.expiresAt <= this.#clock.now() || !timingSafeEqual(held.browser, hashOf(cookie)))
      return undefined;
    this.#held.delete(state);
    return held.attempt;
  }
}

function hashOf(cookie: string): Buffer {
  return createHash("sha256").update(cookie).digest();
}
