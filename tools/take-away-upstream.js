// Rules of the way to the model servers and back (replicas, time bounds, clients that are gone or do not read), taken away
// by `tools/take-away.js` like the others.
import { clientRules } from "./take-away-clients.js";

const S = "packages/sallyport/src";
const D = `${S}/dataplane`;
const replicas = "test/gateway/replicas.test.ts";
const closed = "test/gateway/closed-sockets.test.ts";
const server = "packages/sallyport/src/dataplane/server.test.ts";
const bounds = "test/gateway/upstream-bounds.test.ts";
const errors = "test/gateway/upstream-errors.test.ts";

export const upstreamRules = [
  ...clientRules,
  {
    rule: "client-gone",
    what: "whether a client is there is asked of its socket",
    file: `${D}/connections.ts`,
    from: "connection.exchange?.leave();",
    to: "",
    test: closed,
  },
  {
    rule: "client-gone",
    what: "one request of a connection runs at a time",
    file: `${S}/listener/one-at-a-time.ts`,
    from: "if (response.socket !== null) return begin();",
    to: "if (response.socket !== undefined) return begin();",
    test: closed,
  },
  {
    rule: "client-gone",
    what: "a client that has gone leaves the queue",
    file: `${D}/stages/queue.ts`,
    from: 'this.#place?.leave(refuse("queue_timeout"));',
    to: "",
    test: closed,
  },
  {
    rule: "client-gone",
    what: "nothing is written into a running answer",
    file: `${D}/server.ts`,
    from: "if (connections.isBusy(socket))",
    to: "if (socket.destroyed)",
    test: closed,
  },
  {
    rule: "client-gone",
    what: "a reset after an upgrade does not end the program",
    file: `${D}/server.ts`,
    from: 'socket.on("error", () => socket.destroy());',
    to: "",
    test: server,
  },
  {
    rule: "client-gone",
    what: "nor does one while an answer is under way",
    file: `${D}/server.ts`,
    from: 'socket.on("error", () => {}).destroy();',
    to: "socket.destroy();",
    test: server,
  },
  {
    rule: "stall",
    what: "a client that does not read is disconnected",
    file: `${D}/connections.ts`,
    from: "if (nowMs - connection.takenAtMs < stallMs) continue;",
    to: "if (nowMs - connection.takenAtMs >= 0 || stallMs > 0) continue;",
    test: "test/gateway/stalled-readers.test.ts",
  },
  {
    rule: "replicas",
    what: "a replica that cannot be reached is not chosen for being idle",
    file: `${D}/upstream/replica-group.ts`,
    from: 'if (fitness === "out" || replica === avoid) continue;',
    to: "if (replica === avoid) continue;",
    test: `${D}/upstream/replica-group.test.ts`,
  },
  {
    rule: "replicas",
    what: "a call that failed before its answer began is made once more",
    file: `${D}/upstream/relay.ts`,
    from: "if (!this.#ends.repeat(failure))",
    to: "if (failure)",
    test: replicas,
  },
  {
    rule: "replicas",
    what: "what manages models is never sent twice",
    file: `${D}/stages/forward.ts`,
    from: 'if (group === null || endpoint!.recorded === "management") return false;',
    to: "if (group === null) return false;\n    void endpoint;",
    test: replicas,
  },
  {
    rule: "replicas",
    what: "a request that breaks its connection is made no more than twice",
    file: `${D}/stages/forward.ts`,
    from: "if (this.#repeatsAfterSent-- <= 0) return false;",
    to: "void this.#repeatsAfterSent;",
    test: replicas,
  },
  {
    rule: "replicas",
    what: "the slots of a model are those of all replicas with room",
    file: `${D}/upstream/replica-group.ts`,
    from: "if (!replica.hasRoom(model)) continue;\n      // A",
    to: "// A",
    test: replicas,
  },
  {
    rule: "bounds",
    what: "an answer in one piece is not bound by the first byte",
    file: `${D}/upstream/bounds.ts`,
    from: 'if (endpoint!.recorded === "inference" && comesWhole) return bounds.answerMs;',
    to: "",
    test: bounds,
  },
  {
    rule: "bounds",
    what: "a whole answer has a bound, however it drips",
    file: `${D}/upstream/relay-bounds.ts`,
    from: 'if (nowMs - this.beganMs >= answerMsOf(exchange, bounds)) return "answer_timeout";',
    to: "void answerMsOf;",
    test: bounds,
  },
  {
    rule: "answers",
    what: "a stream without its terminal mark ends with an error",
    file: `${D}/upstream/relay.ts`,
    from: "if (!isWhole && !hasError && isStreamType(this.#type) && answer.hasMark) {",
    to: "if (isWhole && hasError) {",
    test: errors,
  },
  {
    rule: "answers",
    what: "an error names no address of the inner network",
    file: `${D}/answer/upstream-error.ts`,
    from: "const clean = cleanWords(value);",
    to: "const clean = value;\n      void cleanWords;",
    test: errors,
  },
  {
    rule: "answers",
    what: "an upstream's 401 does not look like ours",
    file: `${D}/answer/upstream-error.ts`,
    from: "if (status === 401 || status === 403 || status === 407)",
    to: "if (status === 407)",
    test: errors,
  },
  {
    rule: "R13",
    what: "no comment leaves before its intent is on disk",
    file: `${D}/upstream/relay.ts`,
    from: "return isUnrecorded || (ticket !== null && ledger.isDurable(ticket));",
    to: "return isUnrecorded || ticket !== null || ledger === null;",
    test: "test/gateway/recorded-first.test.ts",
  },
  {
    rule: "answers",
    what: "an answer that was aborted is not metered as nothing",
    file: `${D}/upstream/relay.ts`,
    from: "exchange.usage = estimateAborted(exchange, this.#ports.clock.monotonic() - this.#bounds.beganMs);",
    to: "void estimateAborted;",
    test: bounds,
  },
];
