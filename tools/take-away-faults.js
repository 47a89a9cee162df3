// Rules about faults of disk, clock and start, taken away by `tools/take-away.js` like the others.
const S = "packages/sallyport/src";
const fullDisk = "test/store/full-disk.test.ts";

export const faultRules = [
  {
    rule: "full disk narrowing",
    what: "a person who is disabled already does not use the reserve up",
    file: `${S}/access/taking-away.ts`,
    from: "return isLess && widens(",
    to: "return principal.isDisabled || widens(",
    test: `${S}/access/taking-away.test.ts`,
  },
  {
    rule: "full disk narrowing",
    what: "the same factors again do not use the reserve up",
    file: `${S}/access/taking-away.ts`,
    from: "JSON.stringify(before) !== JSON.stringify(after) &&",
    to: "before.id === after.id &&",
    test: `${S}/access/taking-away.test.ts`,
  },
  {
    rule: "full disk",
    what: "the reserve is kept for what takes rights away",
    file: `${S}/store/writer/writer.ts`,
    from: "let tried = isLean ? changes.filter(maySpendReserve) : changes;",
    to: "let tried = changes;",
    test: fullDisk,
  },
  {
    rule: "full disk",
    what: "what cannot be revoked does not run",
    file: `${S}/store/writer/writer.ts`,
    from: "takesChanges: this.#isOpen || this.#takesChanges(tried, results),",
    to: "takesChanges: true,",
    test: fullDisk,
  },
  {
    rule: "full disk",
    what: "lost records are told",
    file: `${S}/store/writer/writer-link.ts`,
    from: "if (message.isOpen && this.#lost.records > 0) this.#recordLoss();",
    to: "",
    test: fullDisk,
  },
  {
    rule: "full disk",
    what: "a file that was deleted under the program takes no more commits",
    file: `${S}/store/disk/open-files.ts`,
    from: "this.#opened[i] !== null && identityOf(path) !== this.#opened[i]",
    to: "this.#opened[i] === path",
    test: fullDisk,
  },
  {
    rule: "clock",
    what: "nothing is erased by a clock that was just set",
    file: `${S}/store/writer/writer.ts`,
    from: "if (!this.#clocks.isReached()) return;",
    to: "",
    test: "test/store/clock-jumps.test.ts",
  },
  {
    rule: "clock",
    what: "a clock that is set is doubted",
    file: `${S}/kernel/clock-agreement.ts`,
    from: "if (Math.abs(setByMs) > SET_MAX_MS) {",
    to: "if (setByMs === 1) {",
    test: `${S}/kernel/clock-agreement.test.ts`,
  },
  {
    rule: "start",
    what: "a start that fails closes what it opened",
    file: `${S}/compose/gateway.ts`,
    from: "await undo.all();",
    to: "await core.close();",
    test: "test/gateway/failed-start.test.ts",
  },
];
