// Rules of what is done about alerts.
const S = "packages/sallyport/src";
const sentry = `${S}/anomaly/sentry.test.ts`;

export const sentryRules = [
  {
    rule: "anomaly",
    what: "what was done ends",
    file: `${S}/anomaly/sentry.ts`,
    from: "if (restriction.until <= now &&",
    to: "if (restriction.until <= 0 &&",
    test: sentry,
  },
  {
    rule: "anomaly",
    what: "a suspension of somebody else's is not taken back",
    file: `${S}/anomaly/sentry.ts`,
    from: 'held?.state === "suspended" && held.reason === SUSPENDED_FOR',
    to: 'held?.state === "suspended"',
    test: sentry,
  },
  {
    rule: "anomaly",
    what: "a network that is called new is not a known one",
    file: `${S}/anomaly/sentry.ts`,
    from: ".filter((network) => !strange.has(network))",
    to: "",
    test: sentry,
  },
  {
    rule: "anomaly",
    what: "what is confirmed does not end by itself",
    file: `${S}/anomaly/sentry.ts`,
    from: 'why !== "confirmed" && ',
    to: "",
    test: sentry,
  },
  {
    rule: "anomaly",
    what: "what is done counts wherever the key is looked up",
    file: `${S}/keys/directory.ts`,
    from: "return this.#restricted(this.#table.record(row, environment, id));",
    to: "return this.#table.record(row, environment, id);",
    test: "test/gateway/responses.test.ts",
  },
  {
    rule: "anomaly",
    what: "restrictions never loosen",
    file: `${S}/keys/restriction.ts`,
    from: "requests: isTighter ? requests : tight",
    to: "requests: tight",
    test: `${S}/keys/restriction.test.ts`,
  },
];
