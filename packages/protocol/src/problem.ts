/**
 * The one table of problem codes: what a caller learns, with which status, and what they can do about it. A code is a
 * stable fact that scripts may compare; the sentences may change. Both denials and problems (`refusal.ts`) hold one of
 * these codes; a code outside the table does not compile.
 */
import type { ProblemRow } from "./problem-row.ts";
import { credentialProblems } from "./credential-problem.ts";
import { consoleProblems } from "./console-problem.ts";
import { logProblems } from "./log-problem.ts";
import { leakProblems } from "./leak-problem.ts";
import { loginProblems } from "./login-problem.ts";
import { signatureProblems } from "./signature-problem.ts";
import { tokenProblems } from "./token-problem.ts";
import { upstreamProblems } from "./upstream-problem.ts";

export const problems = {
  // the request line, headers and body
  target_malformed: {
    status: 400,
    title: "the request target is not in a form this server accepts",
    remedy: "send a plain path: no absolute form, '%', '//', '..' or ';'",
  },
  query_not_accepted: {
    status: 400,
    title: "this endpoint accepts no such query parameter",
    remedy: "send parameters in the body",
  },
  header_malformed: {
    status: 400,
    title: "a header is malformed or repeated",
    remedy: "send each header once, in its standard form",
  },
  credential_ambiguous: {
    status: 400,
    title: "more than one credential was sent",
    remedy: "send exactly one of Authorization, x-api-key or api-key",
  },
  json_malformed: {
    status: 400,
    title: "the body is not one strict JSON object",
    remedy: "send one JSON object in UTF-8, without BOM or trailing bytes",
  },
  json_duplicate_key: {
    status: 400,
    title: "an object in the body has the same key twice",
    remedy: "send each key once",
  },
  json_key_folds: {
    status: 400,
    title: "a key is a different spelling of a known field",
    remedy: "write field names exactly, in lower case ASCII",
  },
  json_too_deep: { status: 400, title: "the JSON body is nested too deeply", remedy: "stay within 64 levels" },
  field_invalid: { status: 400, title: "a field has the wrong type or value", remedy: "see the endpoint's reference" },
  body_missing: { status: 400, title: "missing request body", remedy: "send the JSON body this endpoint expects" },
  body_not_accepted: { status: 400, title: "this endpoint accepts no body", remedy: "send the request without a body" },
  model_missing: { status: 400, title: "model is required", remedy: "name the model in the field 'model'" },
  model_name_invalid: {
    status: 400,
    title: "invalid model name",
    remedy: "write the name as `model:tag`, `namespace/model:tag` or `host/namespace/model:tag`",
  },
  multipart_malformed: { status: 400, title: "the multipart form is malformed", remedy: "send each known part once" },
  request_timeout: {
    status: 408,
    title: "the request did not arrive in time",
    remedy: "send the whole request without pausing",
  },
  body_too_large: { status: 413, title: "the body is larger than this endpoint accepts", remedy: "send less at once" },
  target_too_long: { status: 414, title: "the request target is too long", remedy: "send a shorter path" },
  encoding_unsupported: {
    status: 415,
    title: "the gateway does not accept compressed bodies",
    remedy: "turn request compression off in the client: send no `content-encoding` header",
  },
  media_type_unsupported: {
    status: 415,
    title: "this media type is not accepted here",
    remedy: "send application/json (or multipart/form-data for audio)",
  },
  host_unknown: {
    status: 421,
    title: "the gateway does not accept this host name",
    remedy: "add the name to `hosts` in the settings",
  },
  headers_too_large: {
    status: 431,
    title: "the request's headers are too large",
    remedy: "send fewer and shorter headers",
  },

  // who
  ...credentialProblems,
  ...leakProblems,
  ...signatureProblems,
  ...tokenProblems,
  ...loginProblems,
  ...consoleProblems,
  ...logProblems,

  // from where, and with which factors
  network_denied: {
    status: 403,
    title: "the key cannot be used from this network",
    remedy: "use it from an allowed network, or change them with `sallyport keys factors ID --network CIDR`",
  },
  network_unbound: {
    status: 403,
    title: "a network allow-list is required, and the key has none",
    remedy: "set one with `sallyport keys factors ID --network CIDR`, or list the environment's `networks`",
  },
  identity_missing: {
    status: 401,
    title: "a fresh identity is required",
    remedy: "log in again and use the new token",
  },
  session_missing: { status: 403, title: "this requires a user session", remedy: "run `sallyport login`" },
  resume_denied: {
    status: 403,
    title: "the key was not suspended for inactivity",
    remedy: "ask an administrator to run `sallyport keys resume ID`",
  },
  resume_spent: {
    status: 403,
    title: "the key was reactivated before and has not been used since",
    remedy: "ask an administrator to run `sallyport keys resume ID`",
  },
  path_secret_denied: {
    status: 403,
    title: "URL tokens are not accepted here",
    remedy:
      "use it over TLS or loopback, in an environment whose policy sets `pathSecrets: allow`, from the key's networks",
  },

  // what
  permission_denied: {
    status: 403,
    title: "the key does not allow this",
    remedy: "use a key with the permission named in the message",
  },
  model_denied: {
    status: 403,
    title: "the key does not allow this model",
    remedy: "use a key whose selectors match the model",
  },
  cloud_denied: {
    status: 403,
    title: "cloud models are not allowed in this environment",
    remedy: "use a local model, without web search",
  },
  registry_denied: {
    status: 403,
    title: "this registry is not allowed in this environment",
    remedy: "add its host to the environment's `registries`",
  },
  endpoint_unknown: { status: 404, title: "404 page not found", remedy: "see the list of endpoints" },
  origin_denied: {
    status: 403,
    title: "this origin is not allowed to call the gateway",
    remedy:
      "add the page's origin to `corsOrigins` in the settings, exactly as the browser sends it; OAuth and log-in never accept other origins",
  },
  method_not_allowed: {
    status: 405,
    title: "405 method not allowed",
    remedy: "use the method that the endpoint reference lists",
  },
  clock_doubtful: {
    status: 409,
    title:
      "the gateway's clock jumped, or differs from the newest record, so operations that cannot be undone are paused",
    remedy: "correct the clock; if it is right, try again when the gateway has run for an hour",
  },
  review_state: {
    status: 409,
    title: "the access review does not allow this now",
    remedy: "see its state and its lines: `sallyport review show REVIEW`",
  },
  conflict: { status: 409, title: "someone changed this meanwhile", remedy: "reload and try again" },
  rightsizing_conflict: {
    status: 409,
    title: "the key cannot be right-sized that way now",
    remedy: "`sallyport rightsize plan --key-id KEY` and `sallyport rightsize show KEY` print why",
  },
  owner_narrowed: {
    status: 409,
    title: "the owner's permissions shrank while the key was being created, so it was not created",
    remedy: "check the owner's permissions and create the key again",
  },
  key_is_session: {
    status: 409,
    title: "this key is a user's session, which cannot be rotated, resumed, shared or restricted",
    remedy: "revoke or suspend it; the user logs in again",
  },
  owner_disabled_elsewhere: {
    status: 409,
    title: "a directory has disabled this user",
    remedy: "enable the user in the directory",
  },
  signals_unverifiable: {
    status: 503,
    title: "the identity provider's keys cannot be fetched, so its message cannot be verified",
    remedy: "send it again later; nothing was changed",
  },
  not_found: { status: 404, title: "not found", remedy: "list what exists" },
  unknown_environment: {
    status: 400,
    title: "unknown environment",
    remedy: "use the name of an environment: `sallyport envs list` prints them",
  },
  already_exists: { status: 409, title: "this name already exists", remedy: "choose another name" },
  input_invalid: {
    status: 422,
    title: "invalid input",
    remedy: "fix the errors in the detail, and try again",
  },
  grant_exceeds_issuer: {
    status: 403,
    title: "you cannot grant this much",
    remedy: "grant less, or use an admin key with a wider delegation scope",
  },
  lifetime_exceeds_maximum: {
    status: 422,
    title: "the lifetime exceeds the environment's maximum",
    remedy: "use a shorter --ttl",
  },

  // how much
  rate_limited: { status: 429, title: "too many requests", remedy: "wait for the time in retry-after" },
  concurrency_exceeded: {
    status: 429,
    title: "too many concurrent requests",
    remedy: "wait for a running request to finish",
  },
  quota_exceeded: {
    status: 429,
    title: "a budget is used up",
    remedy: "wait for the time in retry-after, or ask an administrator for a larger budget",
  },
  service_time_exceeded: {
    status: 429,
    title: "the request used a model server for as long as one request may",
    remedy: "ask for a shorter answer, stream it, or ask an administrator for a longer `maxService`",
  },
  queue_full: { status: 503, title: "too many requests are waiting for this model", remedy: "try again later" },
  queue_timeout: { status: 503, title: "no slot became free in time", remedy: "try again later" },
  overloaded: { status: 503, title: "the gateway is at capacity", remedy: "try again later" },
  draining: { status: 503, title: "the gateway is shutting down", remedy: "try again" },

  // what broke
  revoked_while_running: {
    status: 403,
    title: "the permission for this request was revoked while it ran",
    remedy: "ask an administrator",
  },
  request_ended: {
    status: 403,
    title: "an administrator ended this request",
    remedy: "ask an administrator before you send it again",
  },
  ledger_unavailable: {
    status: 503,
    title: "the request cannot be recorded, so it was not served",
    remedy: "free disk space or repair the storage",
  },
  data_missing: {
    status: 503,
    title: "this directory has no Sallyport data",
    remedy: "run `sallyport start` or `sallyport init`, or choose another directory with --data",
  },
  data_in_use: {
    status: 503,
    title: "another server is using the data directory",
    remedy: "stop that server, or choose another directory with --data",
  },
  schema_older: {
    status: 503,
    title: "an older version of Sallyport wrote this database",
    remedy: "run `sallyport upgrade` (it keeps a copy), or start the gateway, which upgrades it",
  },
  change_unknown: {
    status: 500,
    title: "a newer version of Sallyport wrote this change",
    remedy: "run the same version of Sallyport everywhere; upgrade this one first",
  },
  store_unavailable: {
    status: 503,
    title: "the data directory cannot be read or written",
    remedy: "see the message, or the gateway's log",
  },
  record_damaged: {
    status: 500,
    title: "this stored record is damaged",
    remedy: "ask an administrator to restore a backup or to create it again",
  },
  restore_unconfirmed: {
    status: 503,
    title: "the gateway was restored from a backup and awaits confirmation",
    remedy: "run `sallyport restore confirm` on the gateway host",
  },
  ...upstreamProblems,
  fault: { status: 500, title: "internal error", remedy: "report the request id to an administrator" },
} as const satisfies Record<string, ProblemRow>;

export type ProblemCode = keyof typeof problems;

export function isProblemCode(text: string): text is ProblemCode {
  return Object.hasOwn(problems, text);
}
