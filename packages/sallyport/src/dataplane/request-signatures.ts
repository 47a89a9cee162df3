/**
 * Signatures of requests (RFC 9421) as the data plane accepts them: made by a public key that is registered for the
 * request's key, over its environment and its body, and each once. An invalid signature is rejected even if none is
 * required: the request was tampered with, or a client believes it is protected and is not.
 */
import { signatureFailure } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { digestMatches } from "../factors/body-digest.ts";
import { ReplayStore } from "../factors/replay-store.ts";
import { verifyRequestSignature } from "../factors/request-signature.ts";
import { refuseSignature } from "../factors/signature-refusal.ts";
import { signerOf } from "../factors/signer-of-key.ts";
import type { Clock } from "../kernel/clock.ts";
import type { PepperRing } from "../keys/pepper.ts";
import type { Exchange } from "./exchange.ts";
import { originOf } from "./public-address.ts";
import type { PublicAddress } from "./public-address.ts";

export interface RequestSignaturesPorts {
  readonly clock: Clock;
  readonly peppers: PepperRing;
  readonly address: PublicAddress;
}

const NO_BODY = new Uint8Array(0);

export class RequestSignatures {
  readonly #ports: RequestSignaturesPorts;
  readonly #replays: ReplayStore;

  constructor(ports: RequestSignaturesPorts) {
    this.#ports = ports;
    this.#replays = new ReplayStore({ startedAt: ports.clock.now() });
  }

  /** Marks the exchange as signed, or returns why its signature is rejected; undefined without one. */
  verify(exchange: Exchange): Refusal | undefined {
    const { body } = exchange;
    exchange.body = null;
    if (!exchange.hasSignature) return undefined;
    const { clock, peppers } = this.#ports;
    const key = exchange.key!;
    const now = clock.now();
    const message = {
      ...originOf(this.#ports.address, exchange),
      ...lineOf(exchange),
      environment: key.environment,
      now,
    };
    const verified = verifyRequestSignature(message, (id) => signerOf(key, id, peppers));
    if ("reason" in verified) return refuseSignature(verified);
    const { contentDigest } = verified;
    if (exchange.endpoint!.body === "blob") {
      // Its bytes pass by later, and their digest is in the path, which was signed: the two must be the same.
      const inPath = exchange.parameter?.slice("sha256:".length) ?? "";
      const signed = contentDigest?.sha256 ?? null;
      if (
        exchange.request.method === "POST" &&
        (signed === null || Buffer.from(signed, "base64").toString("hex") !== inPath)
      )
        return refuseSignature(signatureFailure("digest_mismatch"));
    } else if (contentDigest !== null && !digestMatches(contentDigest, body ?? NO_BODY)) {
      return refuseSignature(signatureFailure("digest_mismatch"));
    }
    const replayed = this.#replays.take(key.environment, key.id, verified, now);
    if (replayed) return refuseSignature(replayed);
    exchange.isSigned = true;
    exchange.signer = verified.keyid;
    return undefined;
  }
}

function lineOf({ request }: Exchange): { method: string; target: string; rawHeaders: readonly string[] } {
  return { method: request.method ?? "", target: request.url ?? "", rawHeaders: request.rawHeaders };
}
