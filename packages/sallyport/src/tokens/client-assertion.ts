/**
 * `private_key_jwt` (RFC 7523 section 3): a client proves that it is a key by a signature of one of the key's own public
 * keys, so that no secret is sent at all. For this issuer, for a short time, once.
 */
import { KeptUntil } from "../kernel/kept-until.ts";
import { CLIENT_ASSERTIONS } from "../kernel/shared-resources.ts";
import { jose } from "./jose.ts";
import type { KeyObject } from "node:crypto";

export const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

export interface AssertionQuestion {
  readonly assertion: string;
  /** What `aud` may be: the environment's issuer or its token endpoint. */
  readonly audiences: readonly string[];
  /** The key's public keys that may sign. */
  readonly keys: readonly KeyObject[];
  readonly clientId: string;
  /** Epoch ms. */
  readonly now: number;
}

const LIFE_SECONDS = 300;
const AHEAD_SECONDS = 5;
const TEXT_MAX = 4_096;

/** The client the assertion speaks of, before anything is verified. */
export async function assertedClient(assertion: string): Promise<string | undefined> {
  if (assertion.length > TEXT_MAX) return undefined;
  const { decodeJwt } = await jose();
  try {
    const { iss, sub } = decodeJwt(assertion);
    return iss === sub && typeof iss === "string" && /^[0-9A-Za-z]{12}$/.test(iss) ? iss : undefined;
  } catch {
    return undefined;
  }
}

export class ClientAssertions {
  readonly #startedAt: number;
  readonly #seen = new KeptUntil<true>(CLIENT_ASSERTIONS);

  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  /** True once for a good assertion. */
  async verify({ assertion, audiences, keys, clientId, now }: AssertionQuestion): Promise<boolean> {
    for (const key of keys) {
      const payload = await verifiedBy(key, assertion, audiences, clientId, now);
      if (!payload) continue;
      const { jti, iat, exp } = payload;
      if (typeof jti !== "string" || jti.length < 8 || jti.length > 128 || typeof exp !== "number") return false;
      if (typeof iat !== "number" || exp - iat > LIFE_SECONDS || iat * 1_000 <= this.#startedAt + AHEAD_SECONDS * 1_000)
        return false;
      if (exp * 1_000 < this.#seen.advance(now) || this.#seen.get(clientId, jti)) return false;
      return this.#seen.put(clientId, jti, true, (exp + AHEAD_SECONDS) * 1_000) === "kept";
    }
    return false;
  }
}

async function verifiedBy(
  key: KeyObject,
  assertion: string,
  audiences: readonly string[],
  clientId: string,
  now: number,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { jwtVerify } = await jose();
  try {
    const algorithms = key.asymmetricKeyType === "ed25519" ? ["EdDSA", "Ed25519"] : ["ES256"];
    const { payload } = await jwtVerify(assertion, key, {
      algorithms,
      issuer: clientId,
      subject: clientId,
      audience: [...audiences],
      requiredClaims: ["exp", "iat", "jti"],
      maxTokenAge: LIFE_SECONDS,
      clockTolerance: AHEAD_SECONDS,
      currentDate: new Date(now),
    });
    // One audience, exactly ours: what was made for several could be shown to another of them.
    return typeof payload.aud === "string" || payload.aud?.length === 1 ? payload : undefined;
  } catch {
    return undefined;
  }
}
