/** The errors of tokens and of the OAuth endpoints that issue them. */
export const tokenProblems = {
  token_expired: { status: 401, title: "the token has expired", remedy: "get another one with the key" },
  token_unknown: {
    status: 401,
    title: "unknown or revoked token",
    remedy: "get another one with the key",
  },
  token_required: {
    status: 401,
    title: "in this environment, keys must be exchanged for tokens",
    remedy: "get a token with `sallyport token` or POST /oauth/token",
  },
  proof_invalid: {
    status: 401,
    title: "missing or invalid proof of possession",
    remedy: "send a fresh DPoP proof (RFC 9449) for this request, made with the key that the token is bound to",
  },
  client_secret_misplaced: {
    status: 400,
    title: "the client's secret must not be in the body",
    remedy: "send the key's id and the key as `Authorization: Basic`, or a client_assertion",
  },
  form_malformed: {
    status: 400,
    title: "the body is not a valid form, or a parameter is missing or wrong",
    remedy: "send application/x-www-form-urlencoded with each parameter once",
  },
  client_unknown: {
    status: 401,
    title: "unknown client, or the client did not authenticate",
    remedy: "use a key's id and the key (Basic), or a client_assertion signed by one of its public keys",
  },
  grant_unsupported: {
    status: 400,
    title: "unsupported grant type",
    remedy: "use client_credentials or token exchange",
  },
  grant_invalid: {
    status: 400,
    title: "the key or token to exchange is not valid",
    remedy: "send a valid key or token of this environment",
  },
  scope_invalid: {
    status: 400,
    title: "the scope exceeds the key's permissions",
    remedy: "request permissions and models that the key has",
  },
  issuer_unreachable: {
    status: 503,
    title: "the token issuer's keys cannot be fetched",
    remedy: "try again; if it continues, check that the gateway can reach the issuer",
  },
} as const;
