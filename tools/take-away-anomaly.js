// What `take-away.js` takes away of the watch over keys and of what may be done about an alert.
const A = "packages/sallyport/src/anomaly";
const watch = `${A}/watch/key-watch.test.ts`;
const response = `${A}/response.test.ts`;

export const anomalyRules = [
  {
    rule: "anomaly",
    what: "a likelihood alone acts on nothing",
    file: `${A}/response.ts`,
    from: "alert.isDeterministic || alert.signals >= 2 ? asked",
    to: "alert.signals >= 0 ? asked",
    test: response,
  },
  {
    rule: "anomaly",
    what: "what is done by itself ends by itself",
    file: `${A}/response.ts`,
    from: "until: changes ? alert.at + policy.forMs : null",
    to: "until: null",
    test: response,
  },
  {
    rule: "anomaly",
    what: "a door nobody can open is not demanded",
    file: `${A}/response.ts`,
    from: 'if (action === "signature" && !hasSigner) return "suspend";',
    to: "",
    test: response,
  },
  {
    rule: "anomaly",
    what: "bait that is used is told",
    file: `${A}/watch/certain.ts`,
    from: "if (event.isDecoy)",
    to: "if (event.at < 0)",
    test: watch,
  },
  {
    rule: "anomaly",
    what: "a key of a leaver is told",
    file: `${A}/watch/certain.ts`,
    from: "if (facts.hasEnded(event)",
    to: "if (event.at < 0",
    test: watch,
  },
  {
    rule: "anomaly",
    what: "a few in a thousand more each day are no ramp",
    file: `${A}/watch/slow.ts`,
    from: "if (slope < LEAST_SLOPE) return undefined;",
    to: "",
    test: `${A}/watch/slow.test.ts`,
  },
  {
    rule: "anomaly",
    what: "false alarms are learned from",
    file: `${A}/watch/key-watch.ts`,
    from: "learnFalseAlarm(watched.row, alert",
    to: "if (alert.at < 0) learnFalseAlarm(watched.row, alert",
    test: watch,
  },
  {
    rule: "anomaly",
    what: "the ledger holds no text of a user agent that is no product",
    file: "packages/sallyport/src/dataplane/client-name.ts",
    from: "if (product.length < CLIENT_LENGTH_MAX && PRODUCT.test(product)) return product;",
    to: "if (product.length < CLIENT_LENGTH_MAX) return product;",
    test: "packages/sallyport/src/dataplane/client-name.test.ts",
  },
];
