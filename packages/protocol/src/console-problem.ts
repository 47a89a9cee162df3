/** What may go wrong with a person at the console; part of the one table of `problem.ts`. */
import type { ProblemRow } from "./problem-row.ts";

export const consoleProblems = {
  console_link_unknown: {
    status: 403,
    title: "the link was already used, or has expired",
    remedy: "run `sallyport console` for a new link",
  },
  console_session_ended: {
    status: 401,
    title: "the console session has ended",
    remedy: "run `sallyport console` for a new link",
  },
  console_absent: {
    status: 404,
    title: "this installation has no console",
    remedy: "install a release, or run `npm run build` in the checkout",
  },
} as const satisfies Record<string, ProblemRow>;
