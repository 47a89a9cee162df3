/** The errors of model servers: missing, unreachable, late, or with an error response. */
export const upstreamProblems = {
  upstream_missing: {
    status: 503,
    title: "the environment has no model server",
    remedy: "add one under `upstreams` in the policy",
  },
  upstream_drained: {
    status: 503,
    title: "the model server takes no requests: an administrator has drained it",
    remedy: "try again later; `sallyport upstreams drain ENV/UPSTREAM --undo` puts it back into service",
  },
  upstream_unreachable: {
    status: 502,
    title: "the model server cannot be reached",
    remedy: "start it, or correct the environment's `upstreams`",
  },
  upstream_unlisted: {
    status: 502,
    title: "the model server's list of models cannot be read",
    remedy:
      "check the model server, its `kind` in the policy and its credential; the gateway reads /v1/models or /api/tags",
  },
  model_not_served: {
    status: 404,
    title: "no model server of the environment serves this model",
    remedy: "name a model that GET /v1/models lists, or load it on the model server",
  },
  dialect_not_served: {
    status: 404,
    title: "the environment's model servers speak only OpenAI's dialect",
    remedy: "send the request to a path under /v1/, or add an upstream of kind `ollama` to the environment",
  },
  upstream_broken: {
    status: 502,
    title: "the model server sent an invalid response",
    remedy: "see the gateway's log",
  },
  upstream_timeout: {
    status: 504,
    title: "the model server did not respond in time",
    remedy: "try again, or raise `timeouts.firstByte` or `timeouts.silence` of the upstream",
  },
  answer_timeout: {
    status: 504,
    title: "the response took longer than this environment allows",
    remedy: "request a shorter response, or raise `timeouts.answer` of the upstream",
  },
  upstream_denied: {
    status: 502,
    title: "the model server denied the gateway's request",
    remedy: "check the model server: your key is not the cause",
  },
  upstream_busy: {
    status: 503,
    title: "the model server is busy",
    remedy: "try again later, after `retry-after` where it was sent",
  },
  upstream_error: {
    status: 502,
    title: "the model server returned an error",
    remedy: "try again; if it continues, check the model server's log",
  },
} as const;
