/** What may go wrong between gateways that share one database of changes; part of the one table of `problem.ts`. */
import type { ProblemRow } from "./problem-row.ts";

export const logProblems = {
  log_unavailable: {
    status: 503,
    title: "the database of changes cannot be reached",
    remedy: "try again; if it does not come back, check PostgreSQL and SALLYPORT_DATABASE on the gateway host",
  },
  log_damaged: {
    status: 503,
    title: "the database of changes holds what no gateway of this deployment wrote",
    remedy: "restore the database from its backup, or move back to one machine with `sallyport migrate --to sqlite`",
  },
  log_foreign: {
    status: 503,
    title: "this data directory does not belong to the database of changes",
    remedy: "check SALLYPORT_DATABASE, or copy the data directory of another gateway of this deployment",
  },
  log_ahead: {
    status: 503,
    title: "the data directory has changes that the database does not have",
    remedy: "restore the database to a newer state, or copy the data directory of another gateway of this deployment",
  },
  log_missing: {
    status: 503,
    title: "the database has no log of changes",
    remedy: "stop the gateway, then run `sallyport migrate --to postgres://…` on its host",
  },
  log_required: {
    status: 503,
    title: "changes of this data directory go through a database, and none is set",
    remedy: "set SALLYPORT_DATABASE, or move back to one machine with `sallyport migrate --to sqlite`",
  },
  authority_standby: {
    status: 503,
    title: "this gateway is on standby: another one makes the changes",
    remedy: "send the request to the active gateway, or try again in a few seconds",
  },
} as const satisfies Record<string, ProblemRow>;
