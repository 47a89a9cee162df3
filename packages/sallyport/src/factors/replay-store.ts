/**
 * Every signed request counts once: its nonce is remembered until it would have expired anyway. The memory belongs to
 * this process, so signatures from before the start are rejected; a full memory rejects, too (fail closed).
 */
import { sallyportProfile, signatureFailure } from "@sallyport/protocol";
import type { SignatureFailure } from "@sallyport/protocol";
import { KeptUntil } from "../kernel/kept-until.ts";
import { SIGNATURE_NONCES } from "../kernel/shared-resources.ts";
import type { ShareRules } from "../kernel/shares.ts";

export interface ReplayStoreOptions {
  /** Of each environment. */
  readonly shares?: ShareRules<"owner">;
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

export class ReplayStore {
  readonly #startedAt: number;
  readonly #skewMs: number;
  readonly #shares: ShareRules<"owner">;
  readonly #environments = new Map<string, KeptUntil<true>>();

  constructor(options: ReplayStoreOptions) {
    const { startedAt, skewSeconds = sallyportProfile.skewSeconds } = options;
    this.#startedAt = startedAt;
    this.#skewMs = skewSeconds * 1000;
    this.#shares = options.shares ?? SIGNATURE_NONCES;
  }

  /**
   * Remembers the nonce, or returns why the request must be rejected. Only for verified signatures. `owner` is the API
   * key: it has one share of the memory, no matter how many public keys are registered for it.
   */
  take(environment: string, owner: string, signature: SeenSignature, now: number): SignatureFailure | undefined {
    const { keyid, nonce, created, expires } = signature;
    // An earlier process took what was created up to its skew after its own now.
    if (created * 1000 <= this.#startedAt + this.#skewMs) return signatureFailure("signature_before_start");
    const kept = this.#kept(environment);
    const until = expires * 1000 + this.#skewMs;
    // It may have been let go already, by a clock that has been set back since.
    if (until < kept.advance(now)) return signatureFailure("signature_expired");
    const id = `${keyid}\n${nonce}`;
    if (kept.get(owner, id)) return signatureFailure("signature_replayed");
    switch (kept.put(owner, id, true, until)) {
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
    if (!kept) this.#environments.set(environment, (kept = new KeptUntil<true>(this.#shares)));
    return kept;
  }
}
