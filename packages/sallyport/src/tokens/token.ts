/**
 * A short-lived access token (RFC 9068), exchanged from a key. It has no permissions: it names its key and how it is
 * restricted, and each use looks the key up. So it can never do more than its key, nor outlive it.
 */
import { isDataPermission, isEnvironmentName, parseSelector } from "@sallyport/protocol";
import type { DataPermission } from "@sallyport/protocol";

export interface Token {
  /** Unique; its id in the audit log. */
  readonly id: string;
  readonly environment: string;
  /** The key it was exchanged from: `client_id`. */
  readonly keyId: string;
  /** The key's owner when it was made: `sub`. */
  readonly subject: string;
  /** What of the key's right it has: `scope`. */
  readonly permissions: readonly DataPermission[];
  /** Model selectors it is narrowed to; null = the key's own. */
  readonly models: readonly string[] | null;
  /** Epoch ms, of whole seconds: that is what a JWT can say. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Thumbprint of the key that must prove possession (RFC 9449, RFC 7638); null for a bearer token. */
  readonly thumbprint: string | null;
  /** `auth_time`: when a user or workload last proved its identity, epoch seconds; null if that never happened. */
  readonly authenticatedAt: number | null;
  /** Ids of the tokens and workloads it was exchanged through, the nearest first: `act` (RFC 8693 section 4.1). */
  readonly actors: readonly string[];
}

/** The longest chain of exchanges that is followed. */
export const ACTORS_MAX = 4;

export type TokenClaims = Readonly<Record<string, unknown>>;

/** The claims in addition to `iss`, `aud`, `iat` and `exp`, which the library writes. */
export function claimsOf(token: Token): TokenClaims {
  const { thumbprint, authenticatedAt, models, actors } = token;
  return {
    jti: token.id,
    sub: token.subject,
    client_id: token.keyId,
    environment: token.environment,
    scope: token.permissions.join(" "),
    ...(models === null ? {} : { models }),
    ...(thumbprint === null ? {} : { cnf: { jkt: thumbprint } }),
    ...(authenticatedAt === null ? {} : { auth_time: authenticatedAt }),
    ...(actors.length === 0 ? {} : { act: actorClaim(actors) }),
  };
}

function actorClaim([first, ...rest]: readonly string[]): object {
  return rest.length === 0 ? { sub: first } : { sub: first, act: actorClaim(rest) };
}

/** Reads claims whose signature was verified; undefined when anything is not exactly as `claimsOf()` writes it. */
export function readClaims(claims: TokenClaims): Token | undefined {
  const { jti, sub, client_id: keyId, environment, scope, iat, exp, models, cnf, auth_time: authTime, act } = claims;
  const permissions = typeof scope === "string" ? scope.split(" ") : [];
  const actors = readActors(act);
  const isWhole =
    isText(jti) && isText(sub) && isText(keyId) && isText(environment) && isEnvironmentName(environment) &&
    permissions.length > 0 && permissions.every(isDataPermission) && isSeconds(iat) && isSeconds(exp) && actors !== undefined &&
    (models === undefined || isSelectors(models)) && (authTime === undefined || isSeconds(authTime)); // prettier-ignore
  const thumbprint = cnf === undefined ? null : readThumbprint(cnf);
  if (!isWhole || thumbprint === undefined) return undefined;
  return {
    id: jti,
    environment,
    keyId,
    subject: sub,
    permissions: permissions.filter(isDataPermission),
    models: models === undefined ? null : models,
    issuedAt: iat * 1_000,
    expiresAt: exp * 1_000,
    thumbprint,
    authenticatedAt: authTime === undefined ? null : authTime,
    actors,
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]{1,200}$/.test(value);
}

function isSeconds(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isSelectors(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string" && parseSelector(one) !== undefined);
}

function readThumbprint(cnf: unknown): string | undefined {
  const jkt: unknown = typeof cnf === "object" && cnf !== null && "jkt" in cnf ? cnf.jkt : undefined;
  return typeof jkt === "string" && /^[A-Za-z0-9_-]{43}$/.test(jkt) ? jkt : undefined;
}

function readActors(act: unknown): readonly string[] | undefined {
  const actors: string[] = [];
  for (let at: unknown = act; at !== undefined;) {
    if (typeof at !== "object" || at === null || actors.length >= ACTORS_MAX) return undefined;
    const { sub, act: before } = at as { sub?: unknown; act?: unknown };
    if (!isText(sub)) return undefined;
    actors.push(sub);
    at = before;
  }
  return actors;
}
