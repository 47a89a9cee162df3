/** From the credential this machine has to a short-lived token of it, over a gateway's token endpoint. */
import { isProblemCode, Problem } from "@sallyport/protocol";
import { readJson, sendToGateway } from "../transport.ts";
import { readCredential } from "./credential.ts";
import type { Credential } from "./credential.ts";
import { gatewayUrl, resolveCredential } from "./resolve.ts";
import type { CredentialOptions } from "./resolve.ts";

export interface TokenOptions extends CredentialOptions {
  /** Permissions to restrict it to; default: all of the key's. */
  readonly permissions?: readonly string[] | undefined;
  /** Model selectors to restrict it to; default: the key's. */
  readonly models?: readonly string[] | undefined;
  /** Maximum lifetime in seconds; default: as the gateway computes it. */
  readonly ttlSeconds?: number | undefined;
  readonly fetch?: typeof fetch | undefined;
}

/** As the gateway answered (RFC 6749 section 5.1). */
export interface IssuedToken {
  readonly access_token: string;
  readonly token_type: string;
  /** Seconds. */
  readonly expires_in: number;
  readonly scope: string;
  readonly models?: string;
}

/** Exchanges the key this machine has. Throws the gateway's `Problem`, or `input_invalid` where the credential is a token already. */
export async function exchangeToken(options: TokenOptions = {}): Promise<IssuedToken> {
  const credential = await resolveCredential(options);
  if (credential.kind !== "key" || credential.keyId === null)
    throw new Problem(
      "input_invalid",
      `${credential.where} holds a token already, and a token is exchanged by the key it came from`,
    );
  return askFor(gatewayUrl(options), credential, credential.keyId, options);
}

/** The same as a credential, for `sallyportFetch({ credential: () => resolveToken() })`: a key is exchanged, a token taken as it is. */
export async function resolveToken(options: TokenOptions = {}): Promise<Credential> {
  const { now = Date.now } = options;
  const credential = await resolveCredential(options);
  if (credential.kind === "token" || credential.keyId === null) return credential;
  const issued = await askFor(gatewayUrl(options), credential, credential.keyId, options);
  return readCredential(issued.access_token, "token", {
    source: credential.source,
    where: `a token for ${credential.where}`,
    environment: credential.environment,
    expiresAt: now() + issued.expires_in * 1_000,
  });
}

async function askFor(url: string, { secret }: Credential, keyId: string, options: TokenOptions): Promise<IssuedToken> {
  const { permissions, models, ttlSeconds, fetch: send = fetch } = options;
  const form = new URLSearchParams({ grant_type: "client_credentials" });
  if (permissions && permissions.length > 0) form.set("scope", permissions.join(" "));
  if (models && models.length > 0) form.set("models", models.join(" "));
  if (ttlSeconds !== undefined) form.set("expires_in", String(ttlSeconds));
  const answer = await sendToGateway(send, `${url}/oauth/token`, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(`${keyId}:${secret.reveal()}`)}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: form.toString(),
  });
  const said = await readJson(answer);
  if (answer.ok) return said as unknown as IssuedToken;
  const { code, error_description: detail } = said;
  if (typeof code === "string" && isProblemCode(code))
    throw new Problem(code, typeof detail === "string" ? detail : undefined);
  throw new Error(`the gateway answered ${answer.status} without a code it shares with us`);
}
