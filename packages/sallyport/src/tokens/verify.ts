/**
 * Whether a text is a token of ours, now (R15): signature by the key its header names, type, algorithm, issuer, audience,
 * expiry, and the same environment in the signing key, the issuer and the claim. What was verified is remembered under
 * the SHA-256 of the whole text until it expires; that its key still stands for it is asked each time by the caller.
 */
import { createHash } from "node:crypto";
import type * as Jose from "jose";
import { systemCodeOf } from "../kernel/system-code.ts";
import type { Clock } from "../kernel/clock.ts";
import { jose } from "./jose.ts";
import { readClaims } from "./token.ts";
import type { Token } from "./token.ts";
import { TOKEN_ALGORITHM } from "./token-keys.ts";
import type { TokenKeys } from "./token-keys.ts";

export type TokenFailure = "token_malformed" | "token_expired" | "token_unknown";

export interface TokenVerifierPorts {
  readonly clock: Clock;
  readonly keys: Pick<TokenKeys, "verifying">;
  /** The environment's issuer: an absolute URL of the configuration, never of a request. */
  readonly issuerOf: (environment: string) => string;
  readonly isRevoked: (environment: string, id: string) => boolean;
}

/** About 1 kB each. */
const REMEMBERED_MAX = 16_384;
const TEXT_MAX = 8_192;
const FORM = /^[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}$/;

/** It could be a token: three parts, and no key text has a dot. */
export function looksLikeToken(text: string): boolean {
  return text.length <= TEXT_MAX && FORM.test(text);
}

export class TokenVerifier {
  readonly #ports: TokenVerifierPorts;
  readonly #remembered = new Map<string, Token>();

  constructor(ports: TokenVerifierPorts) {
    this.#ports = ports;
  }

  /** At once for a token that was seen before. */
  verify(text: string): Token | TokenFailure | Promise<Token | TokenFailure> {
    const name = createHash("sha256").update(text).digest("base64url");
    const held = this.#remembered.get(name);
    return held ? this.#present(held) : this.#verifyAnew(text, name);
  }

  #present(token: Token): Token | TokenFailure {
    const { clock, isRevoked } = this.#ports;
    if (clock.now() >= token.expiresAt) return "token_expired";
    return isRevoked(token.environment, token.id) ? "token_unknown" : token;
  }

  async #verifyAnew(text: string, name: string): Promise<Token | TokenFailure> {
    const { clock, keys, issuerOf } = this.#ports;
    const library = await jose();
    const kid = kidOf(text, library);
    if (kid === undefined) return "token_malformed";
    const key = keys.verifying(kid);
    if (!key) return "token_unknown";
    const issuer = issuerOf(key.environment);
    let payload: Readonly<Record<string, unknown>>;
    try {
      const wanted = { algorithms: [TOKEN_ALGORITHM], typ: "at+jwt", issuer, audience: issuer, requiredClaims: ["exp", "iat", "jti"], currentDate: new Date(clock.now()) }; // prettier-ignore
      payload = (await library.jwtVerify(text, key.publicKey, wanted)).payload;
    } catch (cause) {
      return isExpiry(cause) ? "token_expired" : "token_unknown";
    }
    const token = readClaims(payload);
    // The key belongs to one environment, and so must what it signed.
    if (!token || token.environment !== key.environment || payload["aud"] !== issuer) return "token_unknown";
    if (this.#remembered.size >= REMEMBERED_MAX) this.#letGo();
    this.#remembered.set(name, token);
    return this.#present(token);
  }

  /** What has expired; where nothing has, everything: it can be verified again. */
  #letGo(): void {
    const now = this.#ports.clock.now();
    for (const [name, { expiresAt }] of this.#remembered) if (expiresAt <= now) this.#remembered.delete(name);
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
  }
}

function kidOf(
  text: string,
  { decodeProtectedHeader }: Pick<typeof Jose, "decodeProtectedHeader">,
): string | undefined {
  try {
    const { kid } = decodeProtectedHeader(text);
    return typeof kid === "string" && /^[0-9A-Za-z]{16}$/.test(kid) ? kid : undefined;
  } catch {
    return undefined;
  }
}

function isExpiry(cause: unknown): boolean {
  return systemCodeOf(cause) === "ERR_JWT_EXPIRED";
}
