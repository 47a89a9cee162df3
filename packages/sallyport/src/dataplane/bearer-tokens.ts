/**
 * Tokens as credentials of requests: verified, still standing for their key, and where they are bound, with the proof that
 * goes with them. The key is looked up for each use, so that its end is the token's.
 */
import { isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Authenticated, KeyDirectory } from "../keys/directory.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { DpopVerifier } from "../tokens/dpop.ts";
import type { Token } from "../tokens/token.ts";
import type { TokenVerifier } from "../tokens/verify.ts";
import type { Exchange } from "./exchange.ts";
import { isFresh } from "./fresh-identity.ts";
import { oneHeader } from "./one-header.ts";
import { urlOf } from "./public-address.ts";
import type { PublicAddress } from "./public-address.ts";

export interface BearerTokensPorts {
  readonly keys: KeyDirectory;
  readonly verifier: TokenVerifier;
  readonly dpop: DpopVerifier;
  readonly address: PublicAddress;
}

export class BearerTokens {
  readonly #ports: BearerTokensPorts;

  constructor(ports: BearerTokensPorts) {
    this.#ports = ports;
  }

  /** At once for a token that was seen before and is not bound. */
  identify(exchange: Exchange, text: string, now: number): Authenticated | Refusal | Promise<Authenticated | Refusal> {
    const token = this.#ports.verifier.verify(text);
    if (token instanceof Promise) return token.then((said) => this.#admit(exchange, text, said, now));
    return this.#admit(exchange, text, token, now);
  }

  #admit(
    exchange: Exchange,
    text: string,
    token: Token | string,
    now: number,
  ): Authenticated | Refusal | Promise<Authenticated | Refusal> {
    if (typeof token === "string")
      return refuse(token === "token_expired" ? "token_expired" : token === "token_malformed" ? "credential_malformed" : "token_unknown"); // prettier-ignore
    const proof = oneHeader(exchange.request.rawHeaders, "dpop");
    if (proof === undefined) return refuse("proof_invalid");
    if (token.thumbprint === null)
      return proof === null ? this.#standFor(exchange, token, now) : refuse("proof_invalid");
    if (proof === null) return refuse("proof_invalid");
    return this.#ports.dpop
      .verify(proof, {
        method: exchange.request.method ?? "",
        url: urlOf(this.#ports.address, exchange),
        token: text,
        thumbprint: token.thumbprint,
        owner: `${token.environment}/${token.keyId}`,
        now,
      })
      .then((proven) =>
        typeof proven === "object" ? this.#standFor(exchange, token, now) : refuse("proof_invalid", proven),
      );
  }

  #standFor(exchange: Exchange, token: Token, now: number): Authenticated | Refusal {
    const key = keyOfToken(this.#ports.keys, token);
    if (!key) return refuse("token_unknown");
    const admitted = this.#ports.keys.admit(key, now);
    if (isRefusal(admitted)) return admitted;
    exchange.token = token;
    exchange.isIdentified = token.authenticatedAt !== null && isFresh(token.authenticatedAt, now);
    return admitted;
  }
}

/** The key that the token is of. A key that changed hands is not the one the token was made for. */
export function keyOfToken(keys: Pick<KeyDirectory, "find">, token: Token): KeyRecord | undefined {
  const key = keys.find(token.environment, token.keyId);
  return key?.owner === token.subject ? key : undefined;
}
