/**
 * Every signed request counts once: its nonce is remembered until it would have expired anyway. The memory is the
 * process's own, so what an earlier process may have accepted is refused, and what is full refuses (fail closed).
 */
import { sallyportProfile, signatureFailure } from "@sallyport/protocol";
import type { SignatureFailure } from "@sallyport/protocol";
import { KeptUntil } from "../kernel/kept-until.ts";
import type { KeptUntilOptions } from "../kernel/kept-until.ts";

export interface ReplayStoreOptions extends Partial<KeptUntilOptions> {
  /** Epoch ms. Whatever may have been accepted before is unknown here. */
  readonly startedAt: number;
  /** That of the profile requests are verified by. */
  readonly skewSeconds?: number;
}

/** What the store needs to know of a verified signature. */
export interface SeenSignature {
  readonly keyid: string;
  readonly nonce: string;
  /** Epoch seconds. */
  readonly created: number;
  readonly expires: number;
}

/** About a thousand signed requests a second in each environment, a quarter of them of one key; 13 MB when full (measured). */
const CAPACITY = 65_536;
const CAPACITY_PER_KEY = 16_384;

export class ReplayStore {
  readonly #startedAt: number;
  readonly #skewMs: number;
  readonly #options: KeptUntilOptions;
  readonly #environments = new Map<string, KeptUntil<true>>();

  constructor(options: ReplayStoreOptions) {
    const { startedAt, skewSeconds = sallyportProfile.skewSeconds } = options;
    const { capacity = CAPACITY, capacityPerOwner = CAPACITY_PER_KEY } = options;
    this.#startedAt = startedAt;
    this.#skewMs = skewSeconds * 1000;
    this.#options = { capacity, capacityPerOwner };
  }

  /** Remembers the nonce, or says why the request must be refused. Only for signatures that have been verified. */
  take(environment: string, signature: SeenSignature, now: number): SignatureFailure | undefined {
    const { keyid, nonce, created, expires } = signature;
    // An earlier process took what was created up to its skew after its own now.
    if (created * 1000 <= this.#startedAt + this.#skewMs) return signatureFailure("signature_before_start");
    const kept = this.#kept(environment);
    const until = expires * 1000 + this.#skewMs;
    // It may have been let go already, by a clock that has been set back since.
    if (until < kept.advance(now)) return signatureFailure("signature_expired");
    if (kept.get(keyid, nonce)) return signatureFailure("signature_replayed");
    switch (kept.put(keyid, nonce, true, until)) {
      case "owner_full":
        return signatureFailure("replay_key_full");
      case "full":
        return signatureFailure("replay_store_full");
      case "kept":
        return undefined;
    }
  }

  /** How many nonces of an environment are remembered. */
  size(environment: string): number {
    return this.#environments.get(environment)?.size ?? 0;
  }

  #kept(environment: string): KeptUntil<true> {
    let kept = this.#environments.get(environment);
    if (!kept) this.#environments.set(environment, (kept = new KeptUntil<true>(this.#options)));
    return kept;
  }
}
