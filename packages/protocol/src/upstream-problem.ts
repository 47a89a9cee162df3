/** What a caller is told of model servers: that they are missing, cannot be reached, are late, or returned an error. */
export const upstreamProblems = {
  upstream_missing: { status: 503, title: "the environment has no upstream", remedy: "add one to the policy" },
  upstream_unreachable: {
    status: 502,
    title: "the model server cannot be reached",
    remedy: "start it, or correct the environment's upstream",
  },
  upstream_broken: {
    status: 502,
    title: "the model server answered what it must not",
    remedy: "see the gateway's log",
  },
  upstream_timeout: {
    status: 504,
    title: "the model server did not answer in time",
    remedy: "try again, or raise `timeouts.firstByte` or `timeouts.silence` of the upstream",
  },
  answer_timeout: {
    status: 504,
    title: "the answer took longer than this environment allows",
    remedy: "ask for a shorter answer, or raise `timeouts.answer` of the upstream",
  },
  upstream_denied: {
    status: 502,
    title: "the model server denied the gateway's request",
    remedy: "look at the model server: your key is not the cause",
  },
  upstream_busy: {
    status: 503,
    title: "the model server is busy",
    remedy: "try again later, after `retry-after` where it was sent",
  },
  upstream_error: {
    status: 502,
    title: "the model server returned an error",
    remedy: "try again; if it stays so, look at the model server's log",
  },
} as const;
