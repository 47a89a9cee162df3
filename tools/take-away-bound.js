// Rules of names in the ledger, of rows that are bound to it, and of hostile files, taken away by `tools/take-away.js` like the others.
const S = "packages/sallyport/src";
const P = "packages/protocol/src";
const bound = "test/store/bound-rows.test.ts";
const names = "test/gateway/unknown-environment.test.ts";
const hostile = "test/ledger/hostile-files.test.ts";

export const boundRules = [
  {
    rule: "bound",
    what: "a row's code is checked at the start",
    file: `${S}/store/state/check-state.ts`,
    from: "if (row && held && this.#isGenuine(name, id, row, held)) continue;",
    to: "if (row && held) continue;",
    test: bound,
  },
  {
    rule: "bound",
    what: "a row's code is checked where it is read",
    file: `${S}/store/state/row-check.ts`,
    from: "if (!isGenuine) throw",
    to: "if (!isGenuine && id === '') throw",
    test: bound,
  },
  {
    rule: "bound",
    what: "the sum finds what was removed or put back with its code",
    file: `${S}/store/state/check-state.ts`,
    from: "if (held.rows === this.#codes && held.sum === modulo(this.#sum)) return undefined;",
    to: "if (held.rows >= 0) return undefined;",
    test: bound,
  },
  {
    rule: "bound",
    what: "the sum is the one the head names",
    file: `${S}/store/state/row-binding.ts`,
    from: "if (head?.state !== code)",
    to: "if (head === undefined)",
    test: bound,
  },
  {
    rule: "bound",
    what: "a bound database is not bound again as an older one",
    file: `${S}/store/state/upgrade.ts`,
    from: "if (head?.state === undefined) return;",
    to: "if (head !== undefined) return;",
    test: bound,
  },
  {
    rule: "bound",
    what: "a restore refuses rows that the gateway did not write",
    file: `${S}/store/backup/restore.ts`,
    from: 'if (firstDifference) throw new Problem("input_invalid", stateProblem(firstDifference).message);',
    to: "void firstDifference;",
    test: "test/program/edited-backup.test.ts",
  },
  {
    rule: "names",
    what: "the ledger takes no event with a name that cannot be one",
    file: `${S}/store/ledger/ledger-chain.ts`,
    from: "if (environment === undefined || !isEnvironmentName(environment))",
    to: "if (environment === undefined)",
    test: names,
  },
  {
    rule: "names",
    what: "a record about no environment begins no log",
    file: `${S}/store/ledger/ledger-chain.ts`,
    from: "const isKnown = environment !== undefined && isEnvironmentName(environment) && this.#logs.isKnown(environment);",
    to: "const isKnown = environment !== undefined && isEnvironmentName(environment);",
    test: names,
  },
  {
    rule: "names",
    what: "a filter that names no environment is rejected",
    file: `${S}/admin/known-environment.ts`,
    from: "if (text === SYSTEM_REALM || snapshot().environments.has(text)) return text;",
    to: "if (text !== '') return text;",
    test: names,
  },
  {
    rule: "names",
    what: "a log that can be none is taken out by a record of its tree",
    file: `${P}/ledger/verify-ledger.ts`,
    from: "return !tree || this.#first!.seq > 1 || (tree.size === records && tree.root() === root);",
    to: "return false;",
    test: "test/program/damaged-logs.test.ts",
  },
  {
    rule: "derived",
    what: "a tree in the table of logs is compared with the records",
    file: `${P}/ledger/verify-ledger.ts`,
    from: "if (state !== undefined && state !== formatTreeState(log.state))",
    to: "if (state === '')",
    test: "test/ledger/derived-rows.test.ts",
  },
  {
    rule: "hostile",
    what: "a line has a bound",
    file: `${P}/ledger/lines-of.ts`,
    from: "if (length > LINE_BYTES_MAX) return yield undefined;",
    to: "",
    test: hostile,
  },
  {
    rule: "hostile",
    what: "a log's claimed size is not walked without its entries",
    file: `${P}/ledger/verify-tiles.ts`,
    from: "if (entries?.length !== count)",
    to: "if (!entries)",
    test: hostile,
  },
];
