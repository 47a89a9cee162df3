/** What may go wrong with who calls: credentials, keys and their state; part of the one table of `problem.ts`. */
import type { ProblemRow } from "./problem-row.ts";

export const credentialProblems = {
  credential_missing: {
    status: 401,
    title: "no credential was sent",
    remedy: "send a key as `Authorization: Bearer sp_…`",
  },
  credential_malformed: {
    status: 401,
    title: "invalid API key format",
    remedy:
      "send the whole key as `Authorization: Bearer KEY`; if you did, copy it again: a character is wrong or missing",
  },
  credential_conflict: {
    status: 409,
    title: "two sources on this machine have different credentials",
    remedy: "keep one of them: `sallyport credential` lists all sources",
  },
  credential_unsafe: {
    status: 403,
    title: "other users can read or change the file that contains the credential",
    remedy: "restrict the file to yourself: `chmod 600`, in a directory that only you can write to",
  },
  transport_unsafe: {
    status: 400,
    title: "credentials are sent only over HTTPS, or to this machine",
    remedy:
      "use the gateway's https:// address; without one, open a tunnel (`ssh -N -L 11436:127.0.0.1:11436 HOST`) and use http://127.0.0.1:11436",
  },
  credential_source_failed: {
    status: 502,
    title: "the credential helper returned no credential",
    remedy: "run the helper manually: it must print one JSON object with version 1 and a key or a token",
  },
  key_unknown: { status: 401, title: "unknown API key", remedy: "create a new key" },
  key_expired: { status: 401, title: "the key has expired", remedy: "rotate the key, or create a new one" },
  key_rotated: {
    status: 401,
    title: "a rotation has replaced this secret",
    remedy: "use the key's new secret, or ask an administrator for another rotation",
  },
  key_expires_soon: {
    status: 401,
    title: "the key expires soon; this denial is a warning",
    remedy: "rotate the key now; it works again after retry-after, until it expires",
  },
  rotation_in_progress: {
    status: 409,
    title: "the last rotation of this key is not finished",
    remedy:
      "use the new secret, then run `sallyport keys rotate ID --finish`; if it was lost before its first use, run `sallyport keys rotate ID --restart`, which destroys it",
  },
  key_suspended: {
    status: 401,
    title: "the key is suspended",
    remedy:
      "ask an administrator to run `sallyport keys resume ID`; after inactivity, its owner can run `sallyport keys mine --resume ID`",
  },
  key_revoked: { status: 401, title: "the key has been revoked", remedy: "create a new key" },
  owner_disabled: {
    status: 401,
    title: "the key's owner is disabled",
    remedy: "ask an administrator to enable the owner",
  },
  rotation_frozen: {
    status: 403,
    title: "a replaced secret of this key has been used, so the key cannot rotate itself",
    remedy: "ask an administrator to rotate it",
  },
  rotation_elsewhere: {
    status: 403,
    title: "the key was never used from this network, so it cannot rotate itself here",
    remedy: "rotate it from a network where it is used, or ask an administrator",
  },
  rotation_too_soon: {
    status: 429,
    title: "the key has rotated itself within the last day",
    remedy: "wait for the time in retry-after, or ask an administrator",
  },
  ticket_unknown: {
    status: 401,
    title: "unknown delivery link",
    remedy: "check that the link is complete and for this gateway, or ask for a new one",
  },
  ticket_expired: {
    status: 401,
    title: "the delivery link has expired",
    remedy: "ask for a new one: `sallyport keys rotate ID --deliver`",
  },
  ticket_opened: {
    status: 401,
    title: "the delivery link has already been opened",
    remedy: "if you did not open it, tell an administrator at once: someone else has the key",
  },
  ticket_elsewhere: {
    status: 403,
    title: "this delivery link cannot be opened from this network",
    remedy: "open it from the network that it was created for, or ask for another",
  },
  token_foreign: {
    status: 403,
    title: "the token belongs to another client",
    remedy: "a client can revoke its own tokens only; ask an administrator to revoke the key",
  },
  environment_not_here: {
    status: 403,
    title: "this listener does not serve the key's environment",
    remedy: "use the address of that environment",
  },
} as const satisfies Record<string, ProblemRow>;
