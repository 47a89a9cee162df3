/**
 * Tokens that workloads bring from their own issuers, believed for the keys that trust them: signature, issuer, exact
 * audience, expiry, claims, and each once.
 */
import { createHash } from "node:crypto";
import type { errors as JoseErrors } from "jose";
import { KeptUntil } from "../kernel/kept-until.ts";
import { WORKLOAD_TOKENS } from "../kernel/shared-resources.ts";
import { WorkloadIssuerKeys, IssuerUnreachable } from "./issuer-keys.ts";
import { jose } from "./jose.ts";
import { claimsMatch } from "./workload-trust.ts";
import type { WorkloadTrust } from "./workload-trust.ts";

export interface Workload {
  /** `<issuer>#<sub>`, for the audit log and the token's `act`. */
  readonly name: string;
  /** When its issuer made the token, epoch seconds: its identity is as fresh as that. */
  readonly issuedAt: number;
  /** The issuer itself vouches for it: keys that were written here by hand prove no identity. */
  readonly isIdentity: boolean;
}

export type WorkloadFailure = "workload_unknown" | "workload_replayed" | "issuer_unreachable";

/** No symmetric algorithm: a shared secret would be the gateway's to forge with. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"];
const TEXT_MAX = 16_384;
/** A token older than that is no proof of now, whatever its own end says. */
const AGE_SECONDS = 3_600;
const AHEAD_SECONDS = 5;

export class WorkloadTokens {
  readonly #keys = new WorkloadIssuerKeys();
  readonly #seen = new KeptUntil<true>(WORKLOAD_TOKENS);

  /** `owner` names the key that trusts. */
  async verify(
    text: string,
    trusts: readonly WorkloadTrust[],
    owner: string,
    now: number,
  ): Promise<Workload | WorkloadFailure> {
    if (text.length > TEXT_MAX) return "workload_unknown";
    const issuer = issuerIn(text);
    let failure: WorkloadFailure = "workload_unknown";
    for (const trust of trusts) {
      if (trust.issuer !== issuer) continue;
      const claims = await this.#claimsUnder(trust, text, now);
      if (claims === "issuer_unreachable") failure = claims;
      else if (claims && claimsMatch(trust.claims, claims)) return this.#once(text, claims, trust, owner, now);
    }
    return failure;
  }

  async #claimsUnder(
    trust: WorkloadTrust,
    text: string,
    now: number,
  ): Promise<Readonly<Record<string, unknown>> | undefined | "issuer_unreachable"> {
    const { issuer, audience } = trust;
    const wanted = { algorithms: ALGORITHMS, issuer, audience, requiredClaims: ["sub", "exp", "iat"], maxTokenAge: AGE_SECONDS, clockTolerance: AHEAD_SECONDS, currentDate: new Date(now) }; // prettier-ignore
    const { errors, jwtVerify } = await jose();
    try {
      const { payload } = await jwtVerify(text, await this.#keys.of(trust, now), wanted);
      const isAlone = typeof payload.aud === "string" || payload.aud?.length === 1;
      return isAlone ? payload : undefined;
    } catch (cause) {
      return isUnreachable(cause, errors) ? "issuer_unreachable" : undefined;
    }
  }

  #once(
    text: string,
    claims: Readonly<Record<string, unknown>>,
    { issuer, jwks }: WorkloadTrust,
    owner: string,
    now: number,
  ): Workload | WorkloadFailure {
    const { sub, iat, exp } = claims as { sub: string; iat: number; exp: number };
    const until = (exp + AHEAD_SECONDS) * 1_000;
    const id = createHash("sha256").update(text).digest("base64url");
    if (until < this.#seen.advance(now) || this.#seen.get(owner, id)) return "workload_replayed";
    if (this.#seen.put(owner, id, true, until) !== "kept") return "workload_replayed";
    return { name: nameOf(issuer, sub), issuedAt: iat, isIdentity: jwks === null };
  }
}

/** Readable and bounded: what is odd in a subject is written in its hash. */
function nameOf(issuer: string, subject: string): string {
  const name = `${issuer}#${subject}`;
  if (/^[\x21-\x7e]{1,200}$/.test(name)) return name;
  return `${issuer.slice(0, 100)}#sha256:${createHash("sha256").update(subject).digest("base64url")}`;
}

function issuerIn(text: string): string | undefined {
  try {
    const { iss } = JSON.parse(Buffer.from(text.split(".")[1] ?? "", "base64url").toString("utf8")) as {
      iss?: unknown;
    };
    return typeof iss === "string" ? iss : undefined;
  } catch {
    return undefined;
  }
}

/** The issuer was unreachable, too slow, or returned nonsense: this says nothing about the token. */
function isUnreachable(cause: unknown, errors: typeof JoseErrors): boolean {
  if (cause instanceof IssuerUnreachable || cause instanceof errors.JWKSTimeout || cause instanceof TypeError)
    return true;
  return cause instanceof errors.JOSEError && cause.code === "ERR_JOSE_GENERIC";
}
