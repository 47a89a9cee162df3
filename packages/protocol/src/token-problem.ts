/** What a client is told of tokens and of the OAuth endpoints that issue them. */
export const tokenProblems = {
  token_expired: { status: 401, title: "the token has expired", remedy: "ask for another with the key it came from" },
  token_unknown: {
    status: 401,
    title: "the token is not one of this gateway's that works",
    remedy: "ask for another with the key it came from",
  },
  token_required: {
    status: 401,
    title: "in this environment keys are only exchanged for tokens",
    remedy: "get one with `sallyport token` or POST /oauth/token, and use that",
  },
  proof_invalid: {
    status: 401,
    title: "the proof of possession is missing or not accepted",
    remedy: "send a fresh DPoP proof (RFC 9449) for this request, made with the key the token is bound to",
  },
  client_secret_misplaced: {
    status: 400,
    title: "a client's secret does not belong in the body",
    remedy: "send the key's id and the key as `Authorization: Basic`, or a client_assertion",
  },
  form_malformed: {
    status: 400,
    title: "the body is not one strict form, or a parameter of it is missing or wrong",
    remedy: "send application/x-www-form-urlencoded with each parameter once",
  },
  client_unknown: {
    status: 401,
    title: "the client is not known or did not prove itself",
    remedy: "use a key's id and the key (Basic), or a client_assertion signed by one of its public keys",
  },
  grant_unsupported: {
    status: 400,
    title: "this grant type is not offered",
    remedy: "use client_credentials or token exchange",
  },
  grant_invalid: {
    status: 400,
    title: "what was to be exchanged is not accepted",
    remedy: "send a key or token of this environment that works",
  },
  scope_invalid: {
    status: 400,
    title: "the scope asks for more than there is",
    remedy: "ask for permissions and models that the key itself has",
  },
  issuer_unreachable: {
    status: 503,
    title: "the issuer of the token cannot be asked for its keys",
    remedy: "try again; where it stays so, look whether the gateway reaches the issuer",
  },
} as const;
