/**
 * The one table of problem codes: what a caller may be told, with which status, and what he can do about it.
 * A code is a stable fact that scripts may compare; the sentences may change. Both refusals and problems
 * (`refusal.ts`) hold one of these codes; a code outside the table does not compile.
 */
import type { ProblemRow } from "./problem-row.ts";
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
  json_duplicate_key: { status: 400, title: "a key comes twice in one JSON object", remedy: "send each key once" },
  json_key_folds: {
    status: 400,
    title: "a key is another spelling of a known field",
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
    title: "this server does not answer for that host name",
    remedy: "add the name to `hosts` in the settings",
  },
  headers_too_large: {
    status: 431,
    title: "the request's headers are too large",
    remedy: "send fewer and shorter headers",
  },

  // who
  credential_missing: {
    status: 401,
    title: "no credential was sent",
    remedy: "send a key as `Authorization: Bearer sp_…`",
  },
  credential_malformed: {
    status: 401,
    title: "the credential is not a well-formed key",
    remedy:
      "send the whole key as `Authorization: Bearer KEY`; if you do, a character is wrong or missing: copy it again",
  },
  credential_conflict: {
    status: 409,
    title: "two places on this machine give different credentials",
    remedy: "keep one of them: `sallyport credential` lists where each comes from",
  },
  credential_unsafe: {
    status: 403,
    title: "the credential lies where others could read or change it",
    remedy: "make the file yours alone: chmod 600 it, in a directory only you write to",
  },
  transport_unsafe: {
    status: 400,
    title: "a credential is sent only over https, or over http to this machine",
    remedy:
      "use the gateway's https:// address; without one, open a tunnel (`ssh -N -L 11436:127.0.0.1:11436 HOST`) and use http://127.0.0.1:11436",
  },
  credential_source_failed: {
    status: 502,
    title: "the program that gives the credential did not give one",
    remedy: "run it by hand and look at what it prints: one JSON object with version 1 and a key or a token",
  },
  key_unknown: { status: 401, title: "the key is not known here", remedy: "ask for a new key" },
  key_expired: { status: 401, title: "the key has expired", remedy: "ask for a new key or a rotation" },
  key_rotated: {
    status: 401,
    title: "this secret was replaced by a rotation",
    remedy: "use the key's new secret, or ask an administrator for another rotation",
  },
  key_expires_soon: {
    status: 401,
    title: "the key ends soon, and this refusal warns of it",
    remedy: "rotate the key now; it works again after retry-after, until its sunset",
  },
  rotation_in_progress: {
    status: 409,
    title: "the last rotation of the key is not finished",
    remedy:
      "put the new secret to use, then `sallyport keys rotate ID --finish`; where it was lost unused, begin again with --restart, which destroys it",
  },
  key_suspended: { status: 401, title: "the key is suspended", remedy: "ask an administrator; after disuse its owner" },
  key_revoked: { status: 401, title: "the key has been revoked", remedy: "ask for a new key" },
  owner_disabled: { status: 401, title: "the key's owner is disabled", remedy: "ask an administrator" },
  rotation_frozen: {
    status: 403,
    title: "a secret of this key that was replaced has been used, so the key may not rotate itself",
    remedy: "ask an administrator to rotate it",
  },
  rotation_elsewhere: {
    status: 403,
    title: "the key was not used from this network before, so it may not rotate itself here",
    remedy: "rotate from where the key is used, or ask an administrator",
  },
  rotation_too_soon: {
    status: 429,
    title: "the key has rotated itself within the last day",
    remedy: "wait as long as retry-after says, or ask an administrator",
  },
  ticket_unknown: {
    status: 401,
    title: "the ticket is not known here",
    remedy: "look whether it is whole and for this gateway, and ask for a new one",
  },
  ticket_expired: {
    status: 401,
    title: "the ticket has expired unopened",
    remedy: "ask for a new one: `sallyport keys rotate ID --deliver`",
  },
  ticket_opened: {
    status: 401,
    title: "the ticket was opened before",
    remedy: "if that was not you, tell an administrator at once: somebody else has had it",
  },
  ticket_elsewhere: {
    status: 403,
    title: "the ticket may not be opened from this network",
    remedy: "open it from the network it was made for, or ask for another",
  },
  ...signatureProblems,
  ...tokenProblems,
  ...loginProblems,
  token_foreign: {
    status: 403,
    title: "the token is another client's",
    remedy: "a client ends its own tokens; an administrator ends the key",
  },
  environment_not_here: {
    status: 403,
    title: "this listener does not serve the key's environment",
    remedy: "use the address of that environment",
  },

  // from where, and with what besides
  network_denied: {
    status: 403,
    title: "the key may not be used from this network",
    remedy: "use it from where it was made for, or ask for another network with `sallyport keys factors ID --network`",
  },
  network_unbound: {
    status: 403,
    title: "a network is demanded here, and none is written for the key",
    remedy: "bind the key with `sallyport keys factors ID --network CIDR`, or list the environment's `networks`",
  },
  identity_missing: {
    status: 401,
    title: "a fresh identity is demanded",
    remedy: "log in again and use the token you get",
  },
  session_missing: { status: 403, title: "this is for a person who is logged in", remedy: "use `sallyport login`" },
  resume_denied: { status: 403, title: "the key was not suspended for disuse", remedy: "ask an administrator" },
  resume_spent: { status: 403, title: "it was resumed before and not used since", remedy: "ask an administrator" },
  path_secret_denied: {
    status: 403,
    title: "a path secret is not accepted here",
    remedy:
      "use it over TLS or loopback, in an environment whose policy says `pathSecrets: allow`, from the key's networks",
  },

  // what
  permission_denied: {
    status: 403,
    title: "the key does not grant this",
    remedy: "ask for a key with the permission named in the message",
  },
  model_denied: {
    status: 403,
    title: "the key does not grant this model",
    remedy: "ask for a key whose selectors match the model",
  },
  cloud_denied: {
    status: 403,
    title: "the cloud is closed in this environment",
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
    title: "pages of this origin may not call the gateway",
    remedy:
      "add the page's origin to `corsOrigins` in the settings, exactly as the browser sends it; OAuth and log-in are closed to other origins",
  },
  method_not_allowed: { status: 405, title: "405 method not allowed", remedy: "use the endpoint's own method" },
  clock_doubtful: {
    status: 409,
    title: "the gateway's clock jumped, or is far from the newest record, so it does nothing that cannot be undone",
    remedy: "correct the clock; where it is right, try again when the gateway has run for an hour",
  },
  conflict: { status: 409, title: "the change meets a newer state", remedy: "read the present state and try again" },
  owner_narrowed: {
    status: 409,
    title: "the owner's rights were narrowed while the key was ordered, so none was made",
    remedy: "look what the owner may still do, and order again",
  },
  key_is_session: {
    status: 409,
    title: "this key is a person's log-in, which cannot be rotated, resumed, shared or given other access conditions",
    remedy: "revoke or suspend it; the person logs in again",
  },
  owner_disabled_elsewhere: {
    status: 409,
    title: "a directory says that this person may not act",
    remedy: "activate the person in the directory",
  },
  signals_unverifiable: {
    status: 503,
    title: "the identity provider's keys cannot be read, so what it says cannot be verified",
    remedy: "send it again later; nothing was done",
  },
  not_found: { status: 404, title: "there is no such thing", remedy: "list what there is first" },
  unknown_environment: {
    status: 400,
    title: "there is no such environment",
    remedy: "use the name of an environment: `sallyport envs list` prints them",
  },
  already_exists: { status: 409, title: "there is one of that name already", remedy: "choose another name" },
  input_invalid: {
    status: 422,
    title: "the input has mistakes",
    remedy: "correct the input as the detail says, and try again",
  },
  grant_exceeds_issuer: {
    status: 403,
    title: "the issuer may not grant that much",
    remedy: "ask for less, or use an admin key with wider may-grant rights",
  },
  lifetime_exceeds_maximum: {
    status: 422,
    title: "the lifetime is longer than the environment allows",
    remedy: "ask for a shorter --ttl",
  },

  // how much
  rate_limited: { status: 429, title: "too many requests", remedy: "wait as long as retry-after says" },
  concurrency_exceeded: {
    status: 429,
    title: "too many requests at the same time",
    remedy: "let a running request end first",
  },
  queue_full: { status: 503, title: "too many requests are waiting for this model", remedy: "try again later" },
  queue_timeout: { status: 503, title: "no slot became free in time", remedy: "try again later" },
  overloaded: { status: 503, title: "the gateway holds as much as it may", remedy: "try again later" },
  draining: { status: 503, title: "the gateway is shutting down", remedy: "try again" },

  // what broke
  revoked_while_running: {
    status: 403,
    title: "the right to this request ended while it ran",
    remedy: "ask an administrator",
  },
  ledger_unavailable: {
    status: 503,
    title: "the request cannot be recorded, so it is not served",
    remedy: "free disk space or repair the store; nothing was run",
  },
  data_missing: {
    status: 503,
    title: "there is no Sallyport in this directory",
    remedy: "run `sallyport start` or `sallyport init` first, or name the right directory with --data",
  },
  data_in_use: {
    status: 503,
    title: "the data directory is in use by another server",
    remedy: "stop that server, or choose another directory with --data",
  },
  schema_older: {
    status: 503,
    title: "the database was written by an older version of Sallyport",
    remedy: "run `sallyport upgrade` (it keeps a copy), or start the gateway, which upgrades it",
  },
  change_unknown: {
    status: 500,
    title: "a change was written by a program that knows more than this one",
    remedy: "run the same version of Sallyport everywhere; upgrade this one first",
  },
  store_unavailable: {
    status: 503,
    title: "the store cannot be read or written",
    remedy: "see the message, or else the gateway's log",
  },
  record_damaged: {
    status: 500,
    title: "what is stored of this is damaged",
    remedy: "tell an administrator: it comes back with a backup, or a new one is made",
  },
  restore_unconfirmed: {
    status: 503,
    title: "the gateway was restored from a backup and waits to be confirmed",
    remedy: "run `sallyport restore confirm` beside the server",
  },
  ...upstreamProblems,
  fault: { status: 500, title: "something broke", remedy: "tell an administrator the request id" },
} as const satisfies Record<string, ProblemRow>;

export type ProblemCode = keyof typeof problems;

export function isProblemCode(text: string): text is ProblemCode {
  return Object.hasOwn(problems, text);
}
