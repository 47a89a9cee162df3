// Rules that let common clients work as they come, and no further, taken away by `tools/take-away.js` like the others.
const D = "packages/sallyport/src/dataplane";
const wires = "test/gateway/client-wires.test.ts";
const refusals = "test/gateway/refusals.test.ts";

export const clientRules = [
  {
    rule: "clients",
    what: "a connection ends after an offer to upgrade",
    file: "packages/sallyport/src/listener/one-at-a-time.ts",
    from: "if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;",
    to: "",
    test: "test/gateway/upgrade-desync.test.ts",
  },
  {
    rule: "clients",
    what: "an offer to upgrade is ignored",
    file: `${D}/server.ts`,
    from: 'server.on("connect",',
    to: 'server.on("upgrade", (_request: IncomingMessage, socket: Socket) => answerOrClose(socket, "header_malformed"));\n  server.on("connect",',
    test: wires,
  },
  {
    rule: "clients",
    what: "a compressed body is rejected before it is read",
    file: `${D}/stages/inspect.ts`,
    from: 'if (contentEncoding !== null && contentEncoding.toLowerCase() !== "identity") return refuse("encoding_unsupported");',
    to: "",
    test: refusals,
  },
  {
    rule: "clients",
    what: "an endpoint has one path, and a denial names it",
    file: `${D}/wire/match.ts`,
    from: "const rows = exact.get(path);",
    to: 'const rows = exact.get(path) ?? exact.get(path.replace(/\\/$/, ""));',
    test: `${D}/wire/understand.test.ts`,
  },
  {
    rule: "clients",
    what: "the path that a denial names comes from the table",
    file: `${D}/wire/match.ts`,
    from: "candidates.find((candidate) => exact.has(candidate))",
    to: "candidates[0]",
    test: `${D}/wire/understand.test.ts`,
  },
];
