/** Signs a token: a JWT of the type `at+jwt` (RFC 9068), for the gateway's own environment as issuer and audience. */
import { Secret } from "../kernel/secret.ts";
import { jose } from "./jose.ts";
import { TOKEN_ALGORITHM } from "./token-keys.ts";
import type { TokenSigningKey } from "./token-keys.ts";
import { claimsOf } from "./token.ts";
import type { Token } from "./token.ts";

export async function mintToken(token: Token, issuer: string, key: TokenSigningKey): Promise<Secret> {
  const { SignJWT } = await jose();
  const text = await new SignJWT(claimsOf(token))
    .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: "at+jwt", kid: key.id })
    .setIssuer(issuer)
    .setAudience(issuer)
    .setIssuedAt(token.issuedAt / 1_000)
    .setExpirationTime(token.expiresAt / 1_000)
    .sign(key.privateKey);
  return new Secret(text);
}
