/**
 * The public keys of external issuers, fetched from the issuers: bounded, cached for minutes, fetched again when a
 * token names an unknown key (at most twice a minute). An unreachable issuer is a separate error, so that in doubt a
 * token is neither rejected permanently nor believed.
 */
import type { JSONWebKeySet, JWTVerifyGetKey } from "jose";
import { jose } from "./jose.ts";
import type { WorkloadTrust } from "./workload-trust.ts";
import { isIssuerUrl } from "./workload-trust.ts";

const TIMEOUT_MS = 5_000;
const BYTES_MAX = 65_536;
const KEPT_MS = 10 * 60_000;
const ASKED_AGAIN_MS = 30_000;
const ISSUERS_MAX = 256;

export class IssuerUnreachable extends Error {
  constructor(issuer: string, cause: unknown) {
    super(`the issuer ${issuer} cannot be asked for its keys`, { cause });
    this.name = "IssuerUnreachable";
  }
}

export class WorkloadIssuerKeys {
  readonly #remote = new Map<string, { readonly keys: JWTVerifyGetKey; readonly until: number }>();

  /** Throws `IssuerUnreachable`. `now` is epoch ms. */
  async of({ issuer, jwks }: Pick<WorkloadTrust, "issuer" | "jwks">, now: number): Promise<JWTVerifyGetKey> {
    const { createLocalJWKSet, createRemoteJWKSet } = await jose();
    if (jwks !== null) return createLocalJWKSet(JSON.parse(jwks) as JSONWebKeySet);
    const held = this.#remote.get(issuer);
    if (held && held.until > now) return held.keys;
    const url = await discover(issuer);
    const keys = createRemoteJWKSet(url, { timeoutDuration: TIMEOUT_MS, cooldownDuration: ASKED_AGAIN_MS, cacheMaxAge: KEPT_MS }); // prettier-ignore
    if (this.#remote.size >= ISSUERS_MAX) this.#remote.clear();
    this.#remote.set(issuer, { keys, until: now + KEPT_MS });
    return keys;
  }
}

/** OpenID Connect Discovery 1.0 section 4: the document must be the issuer's own. */
async function discover(issuer: string): Promise<URL> {
  try {
    const answer = await fetch(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, {
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { accept: "application/json" },
    });
    const text = await readAtMost(answer, BYTES_MAX);
    const { issuer: said, jwks_uri: uri } = JSON.parse(text) as { issuer?: unknown; jwks_uri?: unknown };
    if (!answer.ok || said !== issuer || typeof uri !== "string" || !isIssuerUrl(uri))
      throw new Error(`its discovery answers ${answer.status} and is not of this issuer`);
    return new URL(uri);
  } catch (cause) {
    throw new IssuerUnreachable(issuer, cause);
  }
}

async function readAtMost(answer: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.length;
    if (size > bytesMax) throw new Error("its discovery is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
