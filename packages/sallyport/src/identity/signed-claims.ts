/**
 * The claims of a signed token of a configured issuer (RFC 7515, 7519), verified: issuer, audience, algorithm, type, age,
 * signature. Security events and log-out tokens differ in what else they must say; that is theirs.
 */
import { decodeProtectedHeader, errors, jwtVerify } from "jose";
import { readJson } from "../kernel/strict-json/read-json.ts";
import { failed, FailedClaims } from "./failed-claims.ts";
import type { IssuerKeys, KeySet } from "./issuer-keys.ts";

export type Claims = Readonly<Record<string, unknown>>;

export interface Expected {
  readonly issuer: string;
  readonly audience: string;
  /** Whether the header's `typ` (lower case, without `application/`; "" for none) is right. */
  readonly isType: (type: string) => boolean;
  /** Oldest `iat` that is still listened to, ms. */
  readonly ageMaxMs: number;
}

const ALGORITHMS = ["RS256", "ES256"];
const TEXT_MAX = 64 * 1024;
const SKEW_S = 60;
const ID_MAX = 256;

export async function verifyClaims(
  text: string,
  keys: IssuerKeys,
  expected: Expected,
  now: number,
): Promise<Claims | FailedClaims> {
  const told = readUnverified(text);
  if (told instanceof FailedClaims) return told;
  if (!expected.isType(told.type)) return failed("invalid_request", "the token is of another type");
  if (!ALGORITHMS.includes(told.algorithm)) return failed("invalid_key", "the algorithm must be RS256 or ES256");
  const set = await keys.present();
  if (!set) return failed("unavailable", "the issuer's keys cannot be read");
  let verified = await verifyWith(text, set, expected, now);
  if (verified === "no key") {
    const renewed = await keys.renewed();
    // It may have been made since the keys were last read.
    if (!renewed) return failed("unavailable", "the issuer's keys do not have this one yet");
    verified = await verifyWith(text, renewed, expected, now);
  }
  if (verified === "no key") return failed("invalid_key", "the issuer has no such key");
  if (verified !== undefined) return verified;
  return judgeTimes(told.claims, expected, now) ?? told.claims;
}

/** What it says of itself, in strict JSON: a claim that stands twice is two claims. */
function readUnverified(
  text: string,
): { readonly type: string; readonly algorithm: string; readonly claims: Claims } | FailedClaims {
  const parts = text.split(".");
  if (text.length > TEXT_MAX || parts.length !== 3 || !/^[A-Za-z0-9_.-]+$/.test(text))
    return failed("invalid_request", "it is no signed token in the compact form");
  const [head, body] = parts.map((part) => readJson(Buffer.from(part, "base64url")));
  if (!head?.ok || !body?.ok || !isMap(head.value) || !isMap(body.value))
    return failed("invalid_request", "header or claims are no strict JSON object");
  const { typ, alg } = decodeProtectedHeader(text);
  return {
    type: typeof typ === "string" ? typ.toLowerCase().replace(/^application\//, "") : "",
    algorithm: String(alg),
    claims: body.value,
  };
}

function isMap(value: unknown): value is Claims {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function verifyWith(
  text: string,
  set: KeySet,
  { issuer, audience }: Expected,
  now: number,
): Promise<FailedClaims | "no key" | undefined> {
  try {
    await jwtVerify(text, set, {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      clockTolerance: SKEW_S,
      currentDate: new Date(now),
    });
    return undefined;
  } catch (cause) {
    if (cause instanceof errors.JWKSNoMatchingKey) return "no key";
    if (cause instanceof errors.JWTExpired) return failed("invalid_request", "it has expired");
    if (cause instanceof errors.JWTClaimValidationFailed) {
      if (cause.claim === "iss") return failed("invalid_issuer", "the issuer is not the configured one");
      if (cause.claim === "aud") return failed("invalid_audience", "it has another audience");
      return failed("invalid_request", `${cause.claim} is not what it must be`);
    }
    // A wrong signature, a key too short, several keys that might be meant, a critical header we do not know.
    return failed("invalid_key", "the signature cannot be verified");
  }
}

function judgeTimes({ iat, jti }: Claims, { ageMaxMs }: Expected, now: number): FailedClaims | undefined {
  if (typeof iat !== "number" || !Number.isFinite(iat)) return failed("invalid_request", "iat is missing");
  if (iat * 1000 > now + SKEW_S * 1000) return failed("invalid_request", "iat lies ahead");
  if (iat * 1000 < now - ageMaxMs) return failed("invalid_request", "it is too old");
  if (typeof jti !== "string" || jti === "" || jti.length > ID_MAX || /\p{Cc}/u.test(jti))
    return failed("invalid_request", "jti is missing");
  return undefined;
}
