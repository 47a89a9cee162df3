/**
 * People log in at their own identity provider (OpenID Connect, authorization code with PKCE). What the protocol asks is
 * `openid-client`'s work; here is which of it we believe: the issuer of the settings, a subject, and the groups it names.
 */
import type { Configuration, IDToken } from "openid-client";
import { clientSecretProof } from "./client-secret-proof.ts";
import { systemCodeOf } from "../kernel/system-code.ts";
import type { Secret } from "../kernel/secret.ts";
import type { SubjectClaim } from "./provider.ts";

export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Null for a public client, which PKCE protects. */
  readonly clientSecret: Secret | null;
  /** The claim that holds the person's groups. */
  readonly groupsClaim: string;
  /** Of everyone who logs in there, in addition to those of the claim. */
  readonly defaultGroups: readonly string[];
  /** The claim that identifies a user; default: `sub`. */
  readonly subjectClaim?: SubjectClaim;
  /** Scopes to request in addition to `openid`. */
  readonly scopes: readonly string[];
}

/** A user as the provider names them, at the moment they proved their identity. */
export interface LoggedIn {
  readonly issuer: string;
  readonly subject: string;
  /** The provider's own name of the session (`sid`), for its log-out. */
  readonly sid: string | null;
  /** Epoch seconds. */
  readonly authenticatedAt: number;
  readonly name: string;
  /** Null if the provider says nothing about groups: then the present ones stay. */
  readonly groups: readonly string[] | null;
  /** Groups of everyone who logs in there, whatever the provider says. */
  readonly defaultGroups?: readonly string[];
}

/** What is kept between leaving for the provider and coming back. */
export interface LoginChecks {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export class ProviderUnreachable extends Error {
  constructor(issuer: string, cause: unknown) {
    super(`the identity provider ${issuer} cannot be reached`, { cause });
    this.name = "ProviderUnreachable";
  }
}

/** Not loaded if no provider is configured. */
const library = (): Promise<typeof import("openid-client")> => import("openid-client");

const KEPT_MS = 10 * 60_000;
const TIMEOUT_SECONDS = 10;
const GROUPS_MAX = 200;
const SUBJECT_MAX = 256;
const REASON_MAX = 400;

export class OidcClient {
  readonly #settings: OidcSettings;
  readonly #onFailure: (why: string) => void;
  #held: { readonly config: Configuration; readonly until: number } | null = null;

  /** `onFailure` gets the reason of each log-in that failed at the provider, for the log: the browser learns less. */
  constructor(settings: OidcSettings, onFailure: (why: string) => void = () => {}) {
    this.#settings = settings;
    this.#onFailure = onFailure;
  }

  /** Reads the provider's metadata, as a log-in would. Throws `ProviderUnreachable`. */
  async check(now: number): Promise<void> {
    await this.#config(now);
  }

  /** Where the browser is sent. Throws `ProviderUnreachable`. */
  async begin(redirectUri: string, now: number): Promise<{ readonly url: string; readonly checks: LoginChecks }> {
    const client = await library();
    const config = await this.#config(now);
    const checks = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
    };
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: ["openid", ...this.#settings.scopes].join(" "),
      state: checks.state,
      nonce: checks.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(checks.verifier),
      code_challenge_method: "S256",
    });
    return { url: url.href, checks };
  }

  /** Undefined for what the provider did not say, or said to another client. Throws `ProviderUnreachable`. */
  async finish(callback: URL, checks: LoginChecks, now: number): Promise<LoggedIn | undefined> {
    const client = await library();
    const config = await this.#config(now);
    let claims: IDToken | undefined;
    try {
      const answer = await client.authorizationCodeGrant(config, callback, {
        expectedState: checks.state,
        expectedNonce: checks.nonce,
        pkceCodeVerifier: checks.verifier,
        idTokenExpected: true,
      });
      claims = answer.claims();
    } catch (cause) {
      if (isUnreachable(cause)) throw new ProviderUnreachable(this.#settings.issuer, cause);
      this.#onFailure(reasonOf(cause));
      return undefined;
    }
    return claims && this.#read(claims, now);
  }

  async #config(now: number): Promise<Configuration> {
    if (this.#held && this.#held.until > now) return this.#held.config;
    const client = await library();
    const { issuer, clientId, clientSecret } = this.#settings;
    const execute = issuer.startsWith("http://") ? [client.allowInsecureRequests] : [];
    const proof = clientSecret === null ? client.None() : clientSecretProof(clientSecret);
    try {
      const config = await client.discovery(new URL(issuer), clientId, undefined, proof, { execute, timeout: TIMEOUT_SECONDS }); // prettier-ignore
      this.#held = { config, until: now + KEPT_MS };
      return config;
    } catch (cause) {
      throw new ProviderUnreachable(issuer, cause);
    }
  }

  #read(claims: IDToken, now: number): LoggedIn | undefined {
    const { groupsClaim, defaultGroups, subjectClaim = "sub", issuer } = this.#settings;
    const subject = claims[subjectClaim];
    if (typeof subject !== "string" || subject === "" || subject.length > SUBJECT_MAX) {
      this.#onFailure(`the ID token has no usable claim ${subjectClaim}`);
      return undefined;
    }
    const said: unknown = claims[groupsClaim];
    const names = [claims["preferred_username"], claims["email"], claims.sub].filter((one) => typeof one === "string");
    const sid = claims["sid"];
    return {
      issuer,
      subject,
      sid: typeof sid === "string" ? sid.slice(0, 256) : null,
      authenticatedAt: typeof claims.auth_time === "number" ? claims.auth_time : Math.floor(now / 1_000),
      name: names.find(isName) ?? "a person",
      groups: Array.isArray(said) ? said.filter((one) => typeof one === "string" && isName(one)).slice(0, GROUPS_MAX) : null, // prettier-ignore
      defaultGroups,
    };
  }
}

/** The sentences of an error and of what caused it, bounded: part of it is the provider's own text. */
export function reasonOf(cause: unknown): string {
  const reasons: string[] = [];
  for (let inner = cause; inner instanceof Error && reasons.length < 4; inner = inner.cause) {
    const more = inner as { readonly error?: unknown; readonly error_description?: unknown; readonly code?: unknown };
    const parts = [inner.message, more.error, more.error_description, inner.message === "" ? more.code : undefined];
    reasons.push(...parts.filter((part) => typeof part === "string" && part !== "").map((part) => String(part)));
    if (inner instanceof AggregateError && inner.cause === undefined && inner.errors[0] instanceof Error)
      reasons.push(inner.errors[0].message);
  }
  return [...new Set(reasons)].join(": ").slice(0, REASON_MAX) || "no reason was given";
}

/** As names are elsewhere: printable, no blanks at the ends. */
function isName(text: string): boolean {
  return text.length <= 100 && /^[^\s\p{C}](?:[^\p{C}]*[^\s\p{C}])?$/u.test(text);
}

/** The provider was unreachable or too slow; a response that is not accepted is not this error. */
function isUnreachable(cause: unknown): boolean {
  return cause instanceof TypeError || systemCodeOf(cause) === "OAUTH_TIMEOUT";
}
