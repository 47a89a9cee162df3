/**
 * Every table of the schema, and whether its rows are bound to the ledger (ADR 39). A table that is in neither list
 * stops the program when a database is created or upgraded, so that the author of a new table has to decide.
 */
import { readFindingRecord } from "./finding-rows.ts";
import { readDirectoryGroup, readPrincipal } from "./principal-rows.ts";
import { readLocalLogin } from "./local-login-rows.ts";
import { readRestriction } from "./restriction-rows.ts";
import { readRightsizing } from "./rightsizing-rows.ts";
import { readReview, readReviewLine } from "./review-rows.ts";
import { readAssignment, readEnvironment, readKey, readRole, readTicket } from "./rows.ts";
import type { SqlRow } from "../disk/sqlite.ts";
import { readRevokedToken, readTokenKey } from "./token-rows.ts";

export interface BoundTable {
  /** The columns of its primary key. */
  readonly key: readonly string[];
  /** In SQL: which of its rows are bound, where not all are. `of` stands before the columns: empty, or what they are of, with its dot. */
  readonly only?: (of: string) => string;
  /** What its rows give, or take. */
  readonly gives: string;
  /**
   * Without the row there are fewer permissions, never more: a row of the wrong shape is rejected alone, and the start
   * continues.
   */
  readonly isRefusedAlone?: boolean;
  /** Throws `record_damaged` for a row that is not of its shape. */
  readonly read?: (row: SqlRow) => unknown;
}

/** Rows that give rights, take them away, or say what the ledger's logs are. */
export const boundTables: Readonly<Record<string, BoundTable>> = {
  environment: { key: ["name"], gives: "what an environment allows at all", read: readEnvironment },
  role: { key: ["name"], gives: "permissions to everyone who has the role", read: readRole },
  principal: { key: ["id"], gives: "who acts, in which groups, and whether they still may", read: readPrincipal },
  directory_group: { key: ["id"], gives: "the groups that roles are assigned to", read: readDirectoryGroup },
  assignment: { key: ["id"], gives: "roles and permissions", read: readAssignment },
  local_login: {
    key: ["principal"],
    gives: "what a person without a provider logs in with",
    isRefusedAlone: true,
    read: readLocalLogin,
  },
  key: { key: ["environment", "id"], gives: "keys, their scope and their state", isRefusedAlone: true, read: readKey },
  ollama_signer: { key: ["fingerprint"], gives: "which key an Ollama client's signature stands for" },
  token_key: { key: ["id"], gives: "the keys that sign tokens", read: readTokenKey },
  revoked_token: { key: ["environment", "id"], gives: "which tokens have ended", read: readRevokedToken },
  ticket: {
    key: ["environment", "id"],
    gives: "one-time delivery of a key's secret",
    isRefusedAlone: true,
    read: readTicket,
  },
  response: { key: ["id"], gives: "what is restricted for a time", read: readRestriction },
  finding: {
    key: ["id"],
    gives: "which findings someone accepted, and until when",
    // Without the row the finding is open.
    isRefusedAlone: true,
    read: readFindingRecord,
  },
  rightsizing: {
    key: ["environment", "key_id"],
    gives: "what is left of the scope of right-sized keys",
    read: readRightsizing,
  },
  review: {
    key: ["id"],
    gives: "who may decide in a review, and what it has taken away",
    isRefusedAlone: true,
    read: readReview,
  },
  review_line: {
    key: ["review", "line"],
    gives: "what was decided in a review, and what can be restored",
    isRefusedAlone: true,
    read: readReviewLine,
  },
  meta: {
    key: ["name"],
    // The head is signed, and the state with its epoch is what it signs; how far records have ended says only when more do.
    only: (of) => `${of}name IN ('node', 'logs_from', 'truncated_before', 'deployment', 'log_head')`,
    gives: "the node's name, which records the ledger may lack, and how far the replica of a deployment has come",
  },
  log: { key: ["environment"], gives: "how far each environment's log has come, and its key" },
};

/** Tables whose rows give nothing, with the reason. */
export const unboundTables: Readonly<Record<string, string>> = {
  ledger: "its records are a chain that leads to the signed head",
  key_use: "says when a key was used; written every few seconds, and gives no right",
  usage: "counts what was used; gives no right, and can be rebuilt from the audit log",
  permission_use: "counts which permissions were used; gives no right, and can be rebuilt from the audit log",
  row_mac: "holds the codes of the others, and is what the signed state is the sum of",
};
