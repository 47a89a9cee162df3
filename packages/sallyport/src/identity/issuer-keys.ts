/**
 * The public keys of an issuer: read when first needed, again after ten minutes, and at most once a minute because a token
 * names one that is not among them. Keys older than an hour verify nothing: they may have been withdrawn.
 */
import { createLocalJWKSet } from "jose";
import type { JSONWebKeySet } from "jose";
import type { Clock } from "../kernel/clock.ts";
import { readJson } from "../kernel/strict-json/read-json.ts";

export type KeySet = ReturnType<typeof createLocalJWKSet>;

export interface IssuerKeysPorts {
  readonly clock: Pick<Clock, "monotonic">;
  /** The set's text; rejects where it cannot be read. */
  readonly read: () => Promise<string>;
}

const FRESH_MS = 10 * 60_000;
const USABLE_MS = 60 * 60_000;
const AGAIN_MS = 60_000;
const TEXT_MAX = 256 * 1024;
const KEYS_MAX = 64;

export class IssuerKeys {
  readonly #ports: IssuerKeysPorts;
  #held: { readonly set: KeySet; readonly atMs: number } | null = null;
  #triedAtMs = -Infinity;
  #reading: Promise<void> | null = null;

  constructor(ports: IssuerKeysPorts) {
    this.#ports = ports;
  }

  /** Undefined while nothing can be verified: the issuer does not answer. */
  async present(): Promise<KeySet | undefined> {
    if (this.#age() > FRESH_MS) await this.#readAgain();
    return this.#age() <= USABLE_MS ? this.#held?.set : undefined;
  }

  /** After a key was not found. Undefined where it was looked for too shortly before, or the issuer does not answer. */
  async renewed(): Promise<KeySet | undefined> {
    const before = this.#held;
    await this.#readAgain();
    return this.#held !== before && this.#held !== null ? this.#held.set : undefined;
  }

  #age(): number {
    return this.#held ? this.#ports.clock.monotonic() - this.#held.atMs : Infinity;
  }

  #readAgain(): Promise<void> {
    // Concurrent callers wait for the same fetch.
    if (this.#reading) return this.#reading;
    const nowMs = this.#ports.clock.monotonic();
    // Without any keys, each token may cause a fetch: such tokens are few, and bounded by their route.
    if (this.#held && nowMs - this.#triedAtMs < AGAIN_MS) return Promise.resolve();
    this.#triedAtMs = nowMs;
    this.#reading = this.#ports
      .read()
      .then((text) => {
        const set = readKeySet(text);
        if (set) this.#held = { set, atMs: nowMs };
      })
      // A failed fetch shows in what cannot be verified.
      .catch(() => undefined)
      .finally(() => (this.#reading = null));
    return this.#reading;
  }
}

function readKeySet(text: string): KeySet | undefined {
  if (text.length > TEXT_MAX) return undefined;
  const read = readJson(Buffer.from(text, "utf8"));
  if (!read.ok || typeof read.value !== "object" || read.value === null) return undefined;
  const { keys } = read.value as { keys?: unknown };
  if (!Array.isArray(keys) || keys.length > KEYS_MAX) return undefined;
  // Only what can verify: a shared secret among them would let a public key be taken for one.
  const usable = keys.filter((key: unknown) => {
    const { kty, use } = (typeof key === "object" && key !== null ? key : {}) as { kty?: unknown; use?: unknown };
    return (kty === "RSA" || kty === "EC") && (use === undefined || use === "sig");
  });
  return createLocalJWKSet({ keys: usable.map((key: unknown) => ({ ...(key as object) })) } as JSONWebKeySet);
}
