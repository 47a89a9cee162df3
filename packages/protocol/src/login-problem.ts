/** What may go wrong when a person logs in; part of the one table of `problem.ts`. */
import type { ProblemRow } from "./problem-row.ts";

export const loginProblems = {
  login_unavailable: {
    status: 404,
    title: "log-in is not configured",
    remedy:
      "configure an identity provider (`oidc` in the settings), invite users (`sallyport people invite`), or use a key",
  },
  login_pending: { status: 400, title: "no one has logged in yet", remedy: "poll again after the interval" },
  login_slow_down: { status: 400, title: "polling too fast", remedy: "poll five seconds less often" },
  login_denied: {
    status: 400,
    title: "the log-in was denied",
    remedy: "run `sallyport login` again if this was a mistake",
  },
  login_expired: { status: 400, title: "the log-in has expired", remedy: "run `sallyport login` again" },
  login_wrong: {
    status: 403,
    title: "wrong name, password or code",
    remedy: "check each of them; a code works once, so wait for the next one",
  },
  login_unconfirmed: {
    status: 403,
    title:
      "the local log-in awaits confirmation: the user's permissions exceed what the administrator who created it can grant",
    remedy: "ask an administrator with that scope to run `sallyport people confirm NAME`",
  },
  login_ambiguous: {
    status: 403,
    title: "several users have this identity",
    remedy: "ask an administrator to run `sallyport doctor` and to disable all but one of them",
  },
  login_delayed: {
    status: 429,
    title: "too many wrong attempts",
    remedy: "wait, then try again",
  },
  invitation_invalid: {
    status: 403,
    title: "invalid or expired invitation",
    remedy: "check the code, or ask for a new invitation",
  },
  password_unfit: { status: 400, title: "the password is too weak", remedy: "choose another one" },
  form_cross_site: {
    status: 403,
    title: "the form was not sent by a page of this gateway",
    remedy: "open the gateway's page, in a current browser",
  },
} as const satisfies Record<string, ProblemRow>;
