// People and workloads that prove who they are.
const S = "packages/sallyport/src";
const login = "test/login/log-in.test.ts";
const workloads = "test/gateway/workloads.test.ts";

export const loginRules = [
  {
    rule: "login",
    what: "what comes back is bound to the browser that left",
    file: `${S}/identity/login-attempts.ts`,
    from: "!timingSafeEqual(held.browser, hashOf(cookie))",
    to: "held.browser.length === 0",
    test: `${S}/identity/login-attempts.test.ts`,
  },
  {
    rule: "login",
    what: "what was approved is handed over once",
    file: `${S}/identity/device-grants.ts`,
    from: "this.#byDevice.delete(name);\n      this.#byUser.delete(held.userCode);\n      return held.outcome",
    to: "return held.outcome",
    test: login,
  },
  {
    rule: "login",
    what: "lost groups count though the log-in is refused",
    file: `${S}/dataplane/login/session-desk.ts`,
    from: "await reconciler.write(found);\n        return refusal;",
    to: "return refusal;",
    test: login,
  },
  {
    rule: "login",
    what: "who has no right there gets no session",
    file: `${S}/dataplane/login/session-desk.ts`,
    from: 'if (person.isDisabled) return refuse("owner_disabled");',
    to: "if (person.isDisabled) return undefined;",
    test: login,
  },
  {
    rule: "login",
    what: "a key that was issued is no session",
    file: `${S}/dataplane/oauth/client.ts`,
    from: 'if (proven.key.session === null) return refuse("grant_invalid");',
    to: "",
    test: login,
  },
  {
    rule: "workload",
    what: "claims must be exactly so",
    file: `${S}/tokens/workload-tokens.ts`,
    from: "claims && claimsMatch(trust.claims, claims)",
    to: "claims && claimsMatch({}, claims)",
    test: workloads,
  },
  {
    rule: "workload",
    what: "each of its tokens counts once",
    file: `${S}/tokens/workload-tokens.ts`,
    from: 'if (until < this.#seen.advance(now) || this.#seen.get(owner, id)) return "workload_replayed";',
    to: "this.#seen.advance(now);",
    test: workloads,
  },
  {
    rule: "workload",
    what: "the audience is ours alone",
    file: `${S}/tokens/workload-tokens.ts`,
    from: "return isAlone ? payload : undefined;",
    to: "void isAlone;\n      return payload;",
    test: workloads,
  },
  {
    rule: "workload",
    what: "ids that cannot be taken over are demanded",
    file: `${S}/tokens/workload-trust.ts`,
    from: ".filter((name) => claims[name] === undefined)",
    to: ".filter((name) => claims[name] === undefined && name === '')",
    test: workloads,
  },
];
