/**
 * Proof of possession (RFC 9449): a JWT that the caller signs for this one request, with the key the token is bound to.
 * It counts once, for a short time, for this method and address, and where there is a token for that token alone.
 */
import { createHash } from "node:crypto";
import type { JWK } from "jose";
import { KeptUntil } from "../kernel/kept-until.ts";
import { DPOP_PROOFS } from "../kernel/shared-resources.ts";
import { jose } from "./jose.ts";

export interface DpopRequest {
  readonly method: string;
  /** Scheme, authority and path as clients write them; no query. */
  readonly url: string;
  /** The access token it goes with; null when one is being asked for. */
  readonly token: string | null;
  /** The key that token is bound to (RFC 7638); null when one is being asked for. */
  readonly thumbprint: string | null;
  /** The API key that asks: its proofs fill its own share of the memory. */
  readonly owner: string;
  /** Epoch ms. */
  readonly now: number;
}

export interface DpopProof {
  /** RFC 7638. */
  readonly thumbprint: string;
}

export type DpopFailure =
  | "dpop_malformed"
  | "dpop_other_key"
  | "dpop_other_request"
  | "dpop_time"
  | "dpop_replayed"
  | "dpop_full";

const ALGORITHMS = ["ES256", "EdDSA", "Ed25519"];
/** Seconds a proof is good for, and a client's clock may be ahead. */
const AGE_SECONDS = 60;
const AHEAD_SECONDS = 5;
const PROOF_MAX = 4_096;

export class DpopVerifier {
  readonly #startedAt: number;
  readonly #seen: KeptUntil<true>;

  /** `startedAt`, epoch ms: proofs of before may have been taken by an earlier process. */
  constructor(startedAt: number, shares = DPOP_PROOFS) {
    this.#startedAt = startedAt;
    this.#seen = new KeptUntil(shares);
  }

  async verify(proof: string, request: DpopRequest): Promise<DpopProof | DpopFailure> {
    if (proof.length > PROOF_MAX) return "dpop_malformed";
    const { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } = await jose();
    let payload: Readonly<Record<string, unknown>>;
    let jwk: JWK | undefined;
    try {
      const verified = await jwtVerify(proof, EmbeddedJWK, {
        algorithms: ALGORITHMS,
        typ: "dpop+jwt",
        requiredClaims: ["jti", "htm", "htu", "iat"],
        currentDate: new Date(request.now),
      });
      ({ payload } = verified);
      jwk = verified.protectedHeader.jwk;
    } catch {
      return "dpop_malformed";
    }
    const { jti, htm, htu, iat, ath } = payload;
    if (jwk === undefined || typeof jti !== "string" || !/^[\x21-\x7e]{8,128}$/.test(jti)) return "dpop_malformed";
    if (htm !== request.method || typeof htu !== "string" || withoutQuery(htu) !== request.url)
      return "dpop_other_request";
    if (request.token !== null && ath !== hashOf(request.token)) return "dpop_other_request";
    if (typeof iat !== "number" || !isOfNow(iat, request.now, this.#startedAt)) return "dpop_time";
    const thumbprint = await calculateJwkThumbprint(jwk);
    // A proof by any other key is worth nothing, so it must not take room in the memory either.
    if (request.thumbprint !== null && request.thumbprint !== thumbprint) return "dpop_other_key";
    const id = `${thumbprint}\n${jti}`;
    return this.#once(request.owner, id, (iat + AGE_SECONDS) * 1_000, request.now) ?? { thumbprint };
  }

  #once(owner: string, id: string, untilMs: number, now: number): DpopFailure | undefined {
    if (untilMs < this.#seen.advance(now)) return "dpop_time";
    if (this.#seen.get(owner, id)) return "dpop_replayed";
    return this.#seen.put(owner, id, true, untilMs) === "kept" ? undefined : "dpop_full";
  }
}

function isOfNow(iat: number, now: number, startedAt: number): boolean {
  const at = iat * 1_000;
  return at <= now + AHEAD_SECONDS * 1_000 && at > now - AGE_SECONDS * 1_000 && at > startedAt + AHEAD_SECONDS * 1_000;
}

/** RFC 9449 section 4.3: query and fragment do not count. Undefined for what is no URL. */
function withoutQuery(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  url.search = "";
  url.hash = "";
  return url.href;
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}
