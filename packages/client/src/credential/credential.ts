/** A credential as one place on this machine gives it, and what its text says of itself. Nothing here asks a server. */
import { parseKeyText, Problem, Secret } from "@sallyport/protocol";

/** In the order in which they are asked. The file names a key, a token, or the helper that prints one. */
export const credentialSources = ["token-variable", "key-variable", "file", "helper"] as const;
export type CredentialSource = (typeof credentialSources)[number];

export type CredentialKind = "token" | "key";

export interface Credential {
  readonly secret: Secret;
  readonly kind: CredentialKind;
  readonly source: CredentialSource;
  /** For people: the variable, the file, the program. */
  readonly where: string;
  /** The environment it is for; null where neither its text nor its place says. */
  readonly environment: string | null;
  /** Public id of a key. */
  readonly keyId: string | null;
  /** Epoch ms; null where that is not known here. */
  readonly expiresAt: number | null;
}

export interface CredentialPlace {
  readonly source: CredentialSource;
  readonly where: string;
  /** What the place says; null where it says nothing. */
  readonly environment: string | null;
  readonly expiresAt?: number | null;
}

const TOKEN_FORM = /^[A-Za-z0-9\-._~+/=]{16,8192}$/;
const NOT_KEYS = {
  admin: "holds an admin key, which opens no model: it belongs in SALLYPORT_ADMIN_KEY",
  ticket: "holds a delivery link: open it with `sallyport keys receive`",
  enrolment: "holds what is no key for requests",
  path: "holds what is no key for requests",
} as const;

/** Reads a text as the kind its place is for. Throws `input_invalid` or `credential_malformed`; never quotes the text. */
export function readCredential(text: string, kind: CredentialKind, place: CredentialPlace): Credential {
  const { source, where, environment, expiresAt = null } = place;
  const said = parseKeyText(text);
  if (said && said.kind !== "api") throw new Problem("input_invalid", `${where} ${NOT_KEYS[said.kind]}`);
  const base = { secret: new Secret(text), kind, source, where };
  if (kind === "key") {
    if (!said) throw new Problem("credential_malformed", `${where} holds no whole key (sp_…)`);
    if (environment !== null && environment !== said.environment)
      throw new Problem("credential_conflict", `${where}: a key of ${said.environment} is kept for ${environment}`);
    return { ...base, environment: said.environment, keyId: said.id, expiresAt };
  }
  if (said) throw new Problem("input_invalid", `${where} holds a key where a token is expected`);
  if (!TOKEN_FORM.test(text)) throw new Problem("credential_malformed", `${where} holds no token`);
  const claims = claimsOf(text);
  if (environment !== null && claims.environment !== null && environment !== claims.environment)
    throw new Problem("credential_conflict", `${where}: a token of ${claims.environment} is kept for ${environment}`);
  return {
    ...base,
    environment: environment ?? claims.environment,
    keyId: null,
    expiresAt: expiresAt ?? claims.expiresAt,
  };
}

/** What a JWT says of itself. It is not verified here, and so only used to notice mistakes, and to fetch another in time. */
function claimsOf(text: string): { readonly environment: string | null; readonly expiresAt: number | null } {
  try {
    const { exp, environment } = JSON.parse(Buffer.from(text.split(".")[1] ?? "", "base64url").toString("utf8")) as {
      exp?: unknown;
      environment?: unknown;
    };
    return {
      environment: typeof environment === "string" ? environment : null,
      expiresAt: typeof exp === "number" && Number.isSafeInteger(exp) ? exp * 1_000 : null,
    };
  } catch {
    return { environment: null, expiresAt: null };
  }
}
