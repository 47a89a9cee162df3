// Every row of the table of standing: without its check, what it is about is neither cut nor denied nor explained.
const file = "packages/sallyport/src/dataplane/standing.ts";
const test = "test/gateway/standing.test.ts";

/** The check of the row, as it is written there. */
const checks = {
  "the key is revoked": `fails: ({ key }) => key.state === "revoked",`,
  "the key has expired": "fails: (claim) => (claim.secret.expiresAt ?? Infinity) + graceMsOf(claim) <= claim.now,",
  "the key is suspended": `fails: ({ key }) => key.state === "suspended",`,
  "the token, or one it was exchanged from, is revoked":
    "fails: ({ token }, facts) => token !== null && isEnded(token, facts),",
  "the workload behind the token is not trusted any more":
    "fails: ({ key, token }) => token !== null && !token.actors.every((actor) => isTrusted(key, actor)),",
  "the URL token was replaced or removed":
    "fails: ({ key, pathSecret }) => pathSecret !== null && !isSame(pathSecret, key.pathSecret),",
  "the Ollama client's public key is not registered any more": `fails: ({ key, ollamaSigner }) => ollamaSigner !== null && !hasSigner(key, "ollama", ollamaSigner),`,
  "the public key that signed is not registered any more": `fails: ({ key, signer }) => signer !== null && !hasSigner(key, "request", signer),`,
  "the environment is not served here":
    "fails: ({ key, right }, facts) => right === undefined || !facts.isServedHere(key.environment),",
  "the owner is disabled or gone": "fails: ({ right }) => right?.isOwnerDisabled === true,",
  "URL tokens are not allowed, or the key has no network allow-list":
    "fails: ({ key, right, pathSecret }) => pathSecret !== null && !mayHavePathSecret(key, right),",
  "the request comes from another network":
    "fails: (claim, facts) => claim.address !== null && isElsewhere(claim, claim.address, facts),",
  "the environment takes tokens only": `fails: ({ right, token, ollamaSigner, way }) =>
      right?.environment.tokens.isOnly === true && token === null && ollamaSigner === null && !OPEN_TO_KEYS.has(way),`,
  "a signature is demanded": `fails: (claim) => !claim.isSigned && isDemanded("signature", claim),`,
  "a network is demanded, and none is written down": `fails: (claim) => isDemanded("network", claim) && claim.right!.doors.every(({ networks }) => networks === null),`,
  "a fresh identity is required": `fails: (claim) => !claim.isIdentified && isDemanded("identity", claim),`,
  "the model server is not the environment's any more": `fails: ({ way, right, upstream }) => way === "model" && !hasUpstream(right, upstream),`,
  "the key expires soon": "fails: (claim) => waitSeconds(claim) > 0,",
};

const D = "packages/sallyport/src/dataplane";
const ownWays = "test/gateway/own-ways.test.ts";

export const standingRules = [
  ...Object.entries(checks).map(([name, from]) => ({
    rule: "standing",
    what: name,
    named: name,
    file,
    from,
    to: "fails: () => false,",
    test,
  })),
  {
    rule: "standing",
    what: "a token is not foreseen of a key that cannot go on",
    file: `${D}/explain-token.ts`,
    from: 'judge.explain(key, "oauth", null, because) ||',
    to: "",
    test: ownWays,
  },
  {
    rule: "standing",
    what: "explain knows of a restore that waits to be confirmed",
    file: `${D}/explain-request.ts`,
    from: 'stages.includes("confirmed") && isQuarantined()',
    to: "!isQuarantined",
    test: `${D}/explain-request.test.ts`,
  },
  {
    rule: "way",
    what: "the doors of what opens an endpoint are asked of what the gateway answers itself",
    file: `${D}/stages/factors.ts`,
    from: "return refuseDoors(doorsOf(right, exchange.endpoint!.anyOf), exchange);",
    to: "return undefined;",
    test: ownWays,
  },
  {
    rule: "way",
    what: "nothing is demanded of who ends a token but his key",
    file: `${D}/judge.ts`,
    from: 'new Set(["oauth", "revoke"])',
    to: 'new Set(["oauth"])',
    test: ownWays,
  },
  {
    rule: "way",
    what: "a request leaves the common beginning for its own way",
    file: `${D}/pipeline.ts`,
    from: "if (i === ARRIVAL) way = ways[exchange.endpoint!.way];",
    to: "",
    test: ownWays,
  },
];
