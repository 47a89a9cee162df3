/** What an environment says of its tokens: RFC 8414 and the public keys (RFC 7517). Public, and the same for everybody. */
import { dataPermissions } from "@sallyport/protocol";
import { ASSERTION_TYPE } from "../../tokens/client-assertion.ts";
import { TOKEN_ALGORITHM } from "../../tokens/token-keys.ts";
import type { TokenKeys } from "../../tokens/token-keys.ts";
import { DEVICE_GRANT } from "./device.ts";
import { EXCHANGE_GRANT } from "./token-request.ts";

export function serverMetadata(issuer: string, isLoginOpen: boolean): object {
  return {
    issuer,
    token_endpoint: `${issuer}/oauth/token`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    ...(isLoginOpen ? { device_authorization_endpoint: `${issuer}/oauth/device_authorization` } : {}),
    grant_types_supported: [
      "client_credentials",
      EXCHANGE_GRANT,
      ...(isLoginOpen ? [DEVICE_GRANT, "refresh_token"] : []),
    ],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: ["client_secret_basic", "private_key_jwt"],
    token_endpoint_auth_signing_alg_values_supported: ["ES256", "EdDSA", "Ed25519"],
    introspection_endpoint_auth_methods_supported: ["client_secret_basic", "private_key_jwt"],
    revocation_endpoint_auth_methods_supported: ["client_secret_basic", "private_key_jwt"],
    dpop_signing_alg_values_supported: ["ES256", "EdDSA", "Ed25519"],
    scopes_supported: dataPermissions,
    client_assertion_types_supported: [ASSERTION_TYPE],
  };
}

export function keySet(keys: TokenKeys, environment: string): object {
  return {
    keys: keys.published(environment).map(({ id, publicKey }) => ({
      ...publicKey.export({ format: "jwk" }),
      kid: id,
      use: "sig",
      alg: TOKEN_ALGORITHM,
    })),
  };
}
