/** Browsers that are away, at the identity provider or at a form: what each must bring back, bound to the browser it was given to. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Clock } from "../kernel/clock.ts";
import { networkPrefix } from "../kernel/network-prefix.ts";
import { LOGIN_ATTEMPTS } from "../kernel/shared-resources.ts";
import { SharedPlaces } from "../kernel/shared-places.ts";
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

export class LoginAttempts<T extends object = LoginAttempt> {
  readonly #clock: Pick<Clock, "now">;
  readonly #held = new SharedPlaces<Held<T>>(LOGIN_ATTEMPTS);

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** `address`: the browser's. */
  keep(state: string, attempt: T, cookie: string, address: string): void {
    const now = this.#clock.now();
    for (const [old, held] of this.#held.entries()) {
      if (held.expiresAt > now) break;
      this.#held.delete(old);
    }
    this.#held.put(state, networkPrefix(address), { attempt, browser: hashOf(cookie), expiresAt: now + LIFE_MS });
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
