/**
 * How the gateway proves to the identity provider who it is: `client_secret_basic` (RFC 6749, 2.3.1). The id and the
 * secret are form-encoded first, but only where they must be. The library encodes each `-`, `.`, `_` and `~`, too, which
 * is allowed; Google does not decode them and then does not know the client. What needs no encoding is read the same by
 * providers that decode and by providers that do not.
 */
import type { ClientAuth } from "openid-client";
import type { Secret } from "../kernel/secret.ts";

export function clientSecretProof(clientSecret: Secret): ClientAuth {
  return (_server, { client_id: clientId }, _body, headers) => {
    const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret.reveal())}`;
    headers.set("authorization", `Basic ${Buffer.from(pair).toString("base64")}`);
  };
}
