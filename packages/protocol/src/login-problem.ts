/** What may go wrong when a person logs in; part of the one table of `problem.ts`. */
import type { ProblemRow } from "./problem-row.ts";

export const loginProblems = {
  login_unavailable: {
    status: 404,
    title: "nobody logs in here",
    remedy: "name an identity provider in the settings (oidc), invite people (`sallyport people invite`), or use a key",
  },
  login_pending: { status: 400, title: "nobody has logged in yet", remedy: "ask again after the interval" },
  login_slow_down: { status: 400, title: "the question came too soon", remedy: "ask five seconds less often" },
  login_denied: { status: 400, title: "the log-in was refused", remedy: "begin again, if it was a mistake" },
  login_expired: { status: 400, title: "the log-in has expired", remedy: "begin again" },
  login_wrong: {
    status: 403,
    title: "the name, the password or the code is wrong",
    remedy: "look at each; a code counts once, so wait for the next one",
  },
  login_unconfirmed: {
    status: 403,
    title:
      "the local log-in waits for an administrator: the person's permissions have grown beyond the scope of whoever made it",
    remedy: "ask an administrator with that scope to run `sallyport people confirm NAME`",
  },
  login_ambiguous: {
    status: 403,
    title: "several people here have this identity",
    remedy: "ask an administrator to look at `sallyport doctor` and to disable all but one of them",
  },
  login_delayed: {
    status: 429,
    title: "there were too many wrong tries",
    remedy: "wait a little and try again",
  },
  invitation_invalid: {
    status: 403,
    title: "the invitation is not valid (any more)",
    remedy: "look at the code again, or ask for another one",
  },
  password_unfit: { status: 400, title: "this password will not do", remedy: "choose another one" },
  form_cross_site: {
    status: 403,
    title: "the form was not sent by a page of this gateway",
    remedy: "open the gateway's own page, in a browser that is not too old",
  },
} as const satisfies Record<string, ProblemRow>;
