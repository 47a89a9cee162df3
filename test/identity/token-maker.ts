/** An identity provider's keys and what it signs with them; also what nobody should sign. */
import { createHmac, randomUUID } from "node:crypto";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import type { CryptoKey, JWK } from "jose";

export const ISSUER = "https://idp.example.org";
export const AUDIENCE = "https://sallyport.example.org";
export const CLIENT = "sallyport";
export const NOW_MS = 1_760_000_000_000;
export const NOW_S = NOW_MS / 1_000;
export const CAEP = "https://schemas.openid.net/secevent/caep/event-type/";
export const LOG_OUT = "http://schemas.openid.net/event/backchannel-logout";

export interface Signing {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
  readonly pem: string;
}

export async function makeSigning(kid: string, alg: "RS256" | "ES256" | "PS256" = "RS256"): Promise<Signing> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, use: "sig" };
  return { kid, alg, privateKey, jwk, pem: await exportSPKI(publicKey) };
}

export function sign(
  signing: Signing,
  claims: Record<string, unknown>,
  header: Record<string, unknown>,
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: signing.alg, kid: signing.kid, ...header })
    .sign(signing.privateKey);
}

/** Claims of a security event about a subject of the issuer; a member given as undefined is left out. */
export function eventClaims(type: string, event: object, more: Record<string, unknown> = {}): Record<string, unknown> {
  return whole({
    iss: ISSUER,
    aud: AUDIENCE,
    iat: NOW_S,
    jti: randomUUID(),
    sub_id: { format: "iss_sub", iss: ISSUER, sub: "s1" },
    events: { [type]: event },
    ...more,
  });
}

export function logOutClaims(more: Record<string, unknown> = {}): Record<string, unknown> {
  return whole({
    iss: ISSUER,
    aud: CLIENT,
    iat: NOW_S,
    exp: NOW_S + 120,
    jti: randomUUID(),
    sub: "s1",
    events: { [LOG_OUT]: {} },
    ...more,
  });
}

function whole(claims: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

export function unsigned(claims: object, header: object): string {
  return `${coded(header)}.${coded(claims)}.`;
}

/** HMAC under the text of a public key: what a verifier that takes the algorithm from the token accepts. */
export function hmacUnder(text: string, claims: object, header: object): string {
  const input = `${coded(header)}.${coded(claims)}`;
  return `${input}.${createHmac("sha256", text).update(input).digest("base64url")}`;
}

/** Claims as they are written, valid signature or not. */
export function coded(value: object | string): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}
