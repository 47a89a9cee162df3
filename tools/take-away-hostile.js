// Rules about hostile texts and remote models, taken away by `tools/take-away.js` like the others.
const S = "packages/sallyport/src";
const remote = "test/gateway/remote-models.test.ts";
const streams = `${S}/dataplane/answer/streams.test.ts`;
const meaning = `${S}/dataplane/wire/understand.test.ts`;

export const hostileRules = [
  {
    rule: "remote",
    what: "a name that stands for a remote model is judged as a cloud model",
    file: `${S}/dataplane/stages/locate-model.ts`,
    from: "if (origin !== true) return undefined;\n  exchange.isRemoteModel",
    to: "if (origin !== null) return undefined;\n  exchange.isRemoteModel",
    test: remote,
  },
  {
    rule: "remote",
    what: "what the gateway changes on a server is asked again",
    file: `${S}/dataplane/upstream/model-origins.ts`,
    from: "this.#changes++;\n    this.#remote = null;",
    to: "",
    test: `${S}/dataplane/upstream/model-origins.test.ts`,
  },
  {
    rule: "remote",
    what: "an answer from elsewhere is broken off",
    file: `${S}/dataplane/answer/native-stream.ts`,
    from: "!this.#rights.mayBeRemote && isRemoteEntry(line)",
    to: "this.#isProgress && isRemoteEntry(line)",
    test: remote,
  },
  {
    rule: "remote",
    what: "a server whose models cannot be listed is sent no prompt",
    file: `${S}/dataplane/stages/locate-model.ts`,
    from: 'return origin ? refuse("cloud_denied") : refuse("upstream_unreachable");',
    to: 'return origin ? refuse("cloud_denied") : undefined;',
    test: remote,
  },
  {
    rule: "answers",
    what: "token ids of a hidden prompt are taken out",
    file: `${S}/dataplane/answer/native-stream.ts`,
    from: "!this.#rights.maySeeContext",
    to: "this.#isProgress",
    test: streams,
  },
  {
    rule: "guard",
    what: "0, fractions and negatives are no bound",
    file: `${S}/dataplane/wire/meaning.ts`,
    from: "/^[1-9][0-9]{0,14}$/.test(lexeme)",
    to: "/^-?[0-9.]+$/.test(lexeme)",
    test: meaning,
  },
  {
    rule: "guard",
    what: "keep_alive stays in the policy's range",
    file: `${S}/dataplane/wire/understand-native.ts`,
    from: "Math.max(minSeconds, Math.min(asked, maxSeconds))",
    to: "asked",
    test: meaning,
  },
  {
    rule: "guard",
    what: "num_ctx stays within the guard",
    file: `${S}/dataplane/wire/understand-native.ts`,
    from: "if (Number(lexeme) <= terms.contextTokens) continue;",
    to: "continue;",
    test: meaning,
  },
  {
    rule: "web search",
    what: "a search that tool_choice demands is demanded",
    file: `${S}/dataplane/wire/web-search-tools.ts`,
    from: "webSearch.some((tool) => nameOf(tool) === name)",
    to: "webSearch.length < 0",
    test: meaning,
  },
  {
    rule: "hostile texts",
    what: "a name of a member is short",
    file: `${S}/kernel/strict-json/cursor.ts`,
    from: "if (lexeme.length > JSON_KEY_LENGTH_MAX)",
    to: "if (lexeme.length < 0)",
    test: meaning,
  },
  {
    rule: "hostile texts",
    what: "few policy texts of one administrator wait",
    file: `${S}/access/policy-text-reader.ts`,
    from: "own >= OPEN_PER_ACTOR_MAX || ",
    to: "",
    test: `${S}/access/policy-text-reader.test.ts`,
  },
  {
    rule: "CORS",
    what: "OAuth and log-in are closed to other origins",
    file: `${S}/dataplane/stages/match.ts`,
    from: "if (NEVER_CROSS_ORIGIN.test(exchange.path)) exchange.corsOrigin = null;",
    to: "",
    test: "test/gateway/refusals.test.ts",
  },
];
