// Rules of running the gateway (what is told of it, upgrades, certificates), taken away by `tools/take-away.js` like the others.
const S = "packages/sallyport/src";

export const operationRules = [
  {
    rule: "R7",
    what: "metrics of an environment are for who administers it",
    file: `${S}/metrics/registry.ts`,
    from: 'at < 0 || values[at] === "" || shown!.isShown(values[at]!)',
    to: "at < 0 || values.length > 0",
    test: "test/gateway/metrics.test.ts",
  },
  {
    rule: "R9",
    what: "the ledger quotes no request that was not understood",
    file: `${S}/audit/refusal-record.ts`,
    from: " || problems[code].status !== DECIDED",
    to: "",
    test: "test/program/canary.test.ts",
  },
  {
    rule: "traces",
    what: "a traceparent is read strictly",
    file: `${S}/traces/trace-parent.ts`,
    from: "if (!parts || parts[1] === NO_TRACE || parts[2] === NO_SPAN) return undefined;",
    to: "if (!parts) return undefined;",
    test: "test/gateway/traces.test.ts",
  },
  {
    rule: "traces",
    what: "who showed no key makes no span",
    file: `${S}/traces/exchange-traces.ts`,
    from: "if (exchange.key === null || exchange.endpoint === null) return;",
    to: 'if (exchange.endpoint === null) return;\n    if (exchange.key === null) Object.assign(exchange, { key: { environment: "", id: "" } });',
    test: "test/gateway/traces.test.ts",
  },
  {
    rule: "upgrade",
    what: "a newer database is refused",
    file: `${S}/store/schema.ts`,
    from: "if (version > known)",
    to: "if (version > known + 9)",
    test: "test/store/upgrade.test.ts",
  },
  {
    rule: "upgrade",
    what: "a step that fails undoes all of them",
    file: `${S}/store/upgrade.ts`,
    from: 'database.exec("ROLLBACK");',
    to: 'database.exec("COMMIT");',
    test: "test/store/upgrade.test.ts",
  },
  {
    rule: "upgrade",
    what: "the copy comes first",
    file: `${S}/store/upgrade.ts`,
    from: "return backUp(database, { folder: dataPaths(directory).backups, version, now: clock.now() });",
    to: "return `${dataPaths(directory).backups}/${clock.now()}${version}`;",
    test: "test/store/upgrade.test.ts",
  },
  {
    rule: "tls",
    what: "a certificate is tried before it is used",
    file: `${S}/compose/certificate-files.ts`,
    from: "createSecureContext(options);",
    to: "",
    test: `${S}/compose/certificate-files.test.ts`,
  },
];
