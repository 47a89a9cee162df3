/**
 * Programs that wait for a user to log in elsewhere (RFC 8628): a long secret for the program, a short code for the
 * user. In memory, for ten minutes; an approval is handed over once. Each environment has separate room, and no network
 * can take the room of another.
 */
import { createHash, randomInt } from "node:crypto";
import type { Clock } from "../kernel/clock.ts";
import { randomBase62 } from "../kernel/ids.ts";
import { networkPrefix } from "../kernel/network-prefix.ts";
import { DEVICE_GRANTS } from "../kernel/shared-resources.ts";
import { SharedPlaces } from "../kernel/shared-places.ts";
import type { Secret } from "../kernel/secret.ts";

export interface DeviceGrant {
  readonly environment: string;
  /** Eight consonants, as a person types them: `WDJB-MJHT`. */
  readonly userCode: string;
  /** Where the program asked from; shown to the user, to recognize their own program. */
  readonly address: string;
  readonly askedAt: number;
  readonly expiresAt: number;
}

export type GrantPoll =
  | { readonly state: "pending" | "slow_down" | "denied" | "expired" }
  | { readonly state: "approved"; readonly text: Secret };

interface Held extends DeviceGrant {
  polledAt: number;
  intervalMs: number;
  outcome: Secret | "denied" | null;
}

const LIFE_MS = 10 * 60_000;
const INTERVAL_MS = 5_000;
/** No vowels, so no words; none that look like digits (RFC 8628 section 6.1). */
const LETTERS = "BCDFGHJKLMNPQRSTVWXZ";

export class DeviceGrants {
  readonly #clock: Pick<Clock, "now">;
  readonly #byEnvironment = new Map<string, SharedPlaces<Held>>();
  readonly #byUser = new Map<string, Held>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** `environment` is one of the policy's. */
  begin(
    environment: string,
    address: string,
  ): DeviceGrant & { readonly deviceCode: string; readonly intervalSeconds: number } {
    const now = this.#clock.now();
    this.#letGo(now);
    const deviceCode = randomBase62(43);
    const letters = Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)]).join("");
    const userCode = `${letters.slice(0, 4)}-${letters.slice(4)}`;
    const held: Held = {
      environment,
      userCode,
      address,
      askedAt: now,
      expiresAt: now + LIFE_MS,
      polledAt: -Infinity,
      intervalMs: INTERVAL_MS,
      outcome: null,
    };
    let places = this.#byEnvironment.get(environment);
    if (!places) this.#byEnvironment.set(environment, (places = new SharedPlaces(DEVICE_GRANTS)));
    const displaced = places.put(nameOf(deviceCode), networkPrefix(address), held);
    for (const { userCode: code } of displaced) this.#byUser.delete(code);
    this.#byUser.set(userCode, held);
    return { ...held, deviceCode, intervalSeconds: INTERVAL_MS / 1_000 };
  }

  /** However the person wrote it. Undefined for one that waits no more. */
  find(environment: string, code: string): DeviceGrant | undefined {
    const letters = code.toUpperCase().replace(/[^A-Z]/g, "");
    const held = this.#byUser.get(`${letters.slice(0, 4)}-${letters.slice(4)}`);
    const isWaiting = held && held.expiresAt > this.#clock.now() && held.outcome === null;
    return isWaiting && held.environment === environment ? held : undefined;
  }

  /** The user has proved their identity: the program gets `text`. False if it no longer waits. */
  approve(userCode: string, text: Secret): boolean {
    return this.#end(userCode, text);
  }

  deny(userCode: string): boolean {
    return this.#end(userCode, "denied");
  }

  poll(environment: string, deviceCode: string): GrantPoll {
    const name = nameOf(deviceCode);
    const places = this.#byEnvironment.get(environment);
    const held = places?.get(name);
    const now = this.#clock.now();
    if (!places || !held || held.expiresAt <= now) return { state: "expired" };
    if (held.outcome !== null) {
      places.delete(name);
      this.#byUser.delete(held.userCode);
      return held.outcome === "denied" ? { state: "denied" } : { state: "approved", text: held.outcome };
    }
    const isHasty = now - held.polledAt < held.intervalMs;
    held.polledAt = now;
    if (!isHasty) return { state: "pending" };
    held.intervalMs += INTERVAL_MS;
    return { state: "slow_down" };
  }

  #end(userCode: string, outcome: Secret | "denied"): boolean {
    const held = this.#byUser.get(userCode);
    if (!held || held.outcome !== null || held.expiresAt <= this.#clock.now()) return false;
    held.outcome = outcome;
    return true;
  }

  #letGo(now: number): void {
    for (const [environment, places] of this.#byEnvironment) {
      // All live equally long: the first that is not over is followed by none that is.
      for (const [name, held] of places.entries()) {
        if (held.expiresAt > now) break;
        places.delete(name);
        this.#byUser.delete(held.userCode);
      }
      if (places.size === 0) this.#byEnvironment.delete(environment);
    }
  }
}

function nameOf(deviceCode: string): string {
  return createHash("sha256").update(deviceCode).digest("base64url");
}
