/**
 * The database's tables, as a new one is created, and their version. An older database is upgraded step by step when
 * the store is opened (`upgrade.ts`); one newer than the program is rejected, never guessed at.
 */
import { Problem } from "@sallyport/protocol";
import { randomBase62 } from "../../kernel/ids.ts";
import type { SqlDatabase } from "./sqlite.ts";

export const SCHEMA_VERSION = 9;

/** Of a node's id: it stands in the names of its logs. */
export const NODE_LENGTH = 12;

/**
 * Keys, and when each of their secrets was last used. Uses are counted in memory and written a few seconds later: they
 * do not change policy, so they have a separate table. The secrets of a key are one JSON text, because they change
 * together.
 */
export const KEY_TABLES = `CREATE TABLE key (
  environment TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT,
  state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'revoked')),
  reason TEXT,
  secrets TEXT NOT NULL,
  rotation TEXT,
  rotated_at INTEGER,
  frozen_at INTEGER,
  lifetime_ms INTEGER,
  told TEXT NOT NULL,
  idle_since INTEGER NOT NULL,
  ceiling TEXT NOT NULL,
  limits TEXT NOT NULL,
  admin TEXT,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  networks TEXT,
  binding TEXT CHECK (binding IN ('first_use')),
  require TEXT NOT NULL,
  signers TEXT NOT NULL,
  path_secret TEXT,
  workloads TEXT NOT NULL,
  session TEXT,
  decoy INTEGER NOT NULL CHECK (decoy IN (0, 1)),
  PRIMARY KEY (environment, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE ollama_signer (
  fingerprint TEXT NOT NULL PRIMARY KEY,
  environment TEXT NOT NULL,
  key_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE token_key (
  environment TEXT NOT NULL,
  id TEXT NOT NULL PRIMARY KEY,
  sealed TEXT NOT NULL,
  purpose TEXT NOT NULL,
  public_key TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE revoked_token (
  environment TEXT NOT NULL,
  id TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (environment, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX key_owner ON key (owner, environment, id) WHERE owner IS NOT NULL;
CREATE TABLE key_use (
  environment TEXT NOT NULL,
  id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  address TEXT NOT NULL,
  agent TEXT NOT NULL,
  used_at INTEGER NOT NULL,
  PRIMARY KEY (environment, id, generation, address, agent)
) STRICT, WITHOUT ROWID;
CREATE TABLE ticket (
  environment TEXT NOT NULL,
  id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  key_name TEXT NOT NULL,
  purpose TEXT NOT NULL CHECK (purpose IN ('create', 'rotate')),
  sealed TEXT,
  recipient TEXT,
  proof_hash BLOB NOT NULL CHECK (length(proof_hash) = 32),
  pepper_version INTEGER NOT NULL,
  networks TEXT,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  opened_at INTEGER,
  opened_by TEXT,
  PRIMARY KEY (environment, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_sealed ON ticket (created_at) WHERE sealed IS NOT NULL;
`;

/** What shows that a row is as the gateway wrote it: the code of each row that gives rights (`bound-tables.ts`). */
export const ROW_MAC_TABLE = `CREATE TABLE row_mac (
  tbl TEXT NOT NULL,
  id TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  mac BLOB NOT NULL CHECK (length(mac) = 32),
  PRIMARY KEY (tbl, id)
) STRICT, WITHOUT ROWID;
`;

/** What is done about unusual use of a key, for a time. */
const RESPONSE_TABLE = `CREATE TABLE response (
  id TEXT NOT NULL PRIMARY KEY,
  environment TEXT NOT NULL,
  key_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  action TEXT NOT NULL,
  networks TEXT NOT NULL,
  at INTEGER NOT NULL,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;

/** Counters of use (`usage/usage-row.ts`): never a row for each request. */
const USAGE_TABLE = `CREATE TABLE usage (
  day INTEGER NOT NULL,
  environment TEXT NOT NULL,
  key TEXT NOT NULL,
  principal TEXT NOT NULL,
  team TEXT NOT NULL,
  model TEXT NOT NULL,
  code TEXT NOT NULL,
  requests INTEGER NOT NULL,
  denied INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  compute_ms INTEGER NOT NULL,
  queue_ms INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (day, environment, key, principal, team, model, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_owner ON usage (principal, environment, day);
`;

/** Since when findings are known, and which of them someone accepted. */
const FINDING_TABLE = `CREATE TABLE finding (
  id TEXT NOT NULL PRIMARY KEY,
  environment TEXT NOT NULL,
  code TEXT NOT NULL,
  subject TEXT NOT NULL,
  first_seen_at INTEGER NOT NULL,
  fixed_at INTEGER,
  acceptance TEXT
) STRICT, WITHOUT ROWID;
`;

/** Counters of permissions (`usage/permission-use.ts`), found by key. */
const PERMISSION_USE_TABLE = `CREATE TABLE permission_use (
  environment TEXT NOT NULL,
  key TEXT NOT NULL,
  day INTEGER NOT NULL,
  permission TEXT NOT NULL,
  model TEXT NOT NULL,
  denied INTEGER NOT NULL CHECK (denied IN (0, 1)),
  count INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (environment, key, day, permission, model, denied)
) STRICT, WITHOUT ROWID;
CREATE INDEX permission_use_day ON permission_use (day);
`;

/** What narrows the scope of a key, or is compared with its requests. */
const RIGHTSIZING_TABLE = `CREATE TABLE rightsizing (
  environment TEXT NOT NULL,
  key_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('shadow', 'applied', 'ended')),
  boundary TEXT NOT NULL,
  by TEXT NOT NULL,
  at INTEGER NOT NULL,
  until INTEGER NOT NULL,
  compared INTEGER NOT NULL,
  differences INTEGER NOT NULL,
  examples TEXT NOT NULL,
  end TEXT,
  PRIMARY KEY (environment, key_id)
) STRICT, WITHOUT ROWID;
`;

/** Access reviews, and a line for each right that is reviewed. What only is read with the record is in `body`. */
const REVIEW_TABLES = `CREATE TABLE review (
  id TEXT NOT NULL PRIMARY KEY,
  environment TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE review_line (
  review TEXT NOT NULL,
  line INTEGER NOT NULL,
  version INTEGER NOT NULL,
  status TEXT NOT NULL,
  assigned_to TEXT,
  body TEXT NOT NULL,
  PRIMARY KEY (review, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX review_line_status ON review_line (review, status, line);
CREATE INDEX review_line_reviewer ON review_line (review, status, assigned_to);
`;

const TABLES = `
CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE environment (
  name TEXT NOT NULL PRIMARY KEY,
  upstreams TEXT NOT NULL,
  key_max_age_ms INTEGER NOT NULL,
  cloud TEXT NOT NULL CHECK (cloud IN ('deny', 'allow')),
  registries TEXT NOT NULL,
  keep_alive_max_seconds REAL NOT NULL,
  limits TEXT NOT NULL,
  guard TEXT NOT NULL,
  key_life TEXT NOT NULL,
  networks TEXT,
  require TEXT NOT NULL,
  require_for TEXT NOT NULL,
  path_secrets TEXT NOT NULL CHECK (path_secrets IN ('deny', 'allow')),
  tokens TEXT NOT NULL,
  key_fate TEXT NOT NULL,
  anomalies TEXT NOT NULL,
  inference_recording TEXT NOT NULL CHECK (inference_recording IN ('fail_closed', 'fail_open_with_gap_record'))
) STRICT, WITHOUT ROWID;
CREATE TABLE role (
  name TEXT NOT NULL PRIMARY KEY,
  grants TEXT NOT NULL,
  limits TEXT NOT NULL,
  guard TEXT NOT NULL,
  networks TEXT,
  require TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE principal (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('person', 'service')),
  name TEXT NOT NULL,
  team TEXT,
  groups TEXT NOT NULL,
  is_disabled INTEGER NOT NULL CHECK (is_disabled IN (0, 1)),
  created_at INTEGER NOT NULL,
  disabled_by TEXT NOT NULL,
  revocations INTEGER NOT NULL,
  external TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE local_login (
  principal TEXT NOT NULL PRIMARY KEY,
  invitation TEXT,
  invitation_expires_at INTEGER,
  sealed TEXT,
  otp_step INTEGER NOT NULL,
  invited_at INTEGER NOT NULL,
  enrolled_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE directory_group (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  external_id TEXT,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE assignment (
  id TEXT NOT NULL PRIMARY KEY,
  subject TEXT NOT NULL,
  environment TEXT NOT NULL,
  right TEXT NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('policy', 'admin'))
) STRICT, WITHOUT ROWID;
${KEY_TABLES}CREATE TABLE ledger (seq INTEGER PRIMARY KEY, line TEXT NOT NULL) STRICT;
${RESPONSE_TABLE}CREATE TABLE log (
  environment TEXT NOT NULL PRIMARY KEY,
  base TEXT NOT NULL,
  first_key TEXT NOT NULL,
  state TEXT NOT NULL,
  checkpoint TEXT NOT NULL,
  generation INTEGER NOT NULL,
  key_since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
${ROW_MAC_TABLE}${USAGE_TABLE}${FINDING_TABLE}${PERMISSION_USE_TABLE}${RIGHTSIZING_TABLE}${REVIEW_TABLES}`;

/** Makes the tables in an empty database. `head` is the signed head of the empty ledger, as JSON. */
export function createSchema(database: SqlDatabase, head: string): void {
  database.exec("BEGIN IMMEDIATE");
  database.exec(TABLES);
  const put = database.prepare("INSERT INTO meta (name, value) VALUES (?, ?)");
  put.run("epoch", "0");
  put.run("head", head);
  put.run("truncated_before", "1");
  put.run("node", randomBase62(NODE_LENGTH));
  put.run("logs_from", "1");
  put.run("usage_through", "0");
  // A new database counts from its beginning on.
  put.run("permissions_since", "0");
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  database.exec("COMMIT");
}

/** Throws `store_unavailable` unless the database has exactly this program's schema. */
export function checkSchema(database: SqlDatabase): void {
  const version = readSchemaVersion(database, SCHEMA_VERSION);
  if (version === SCHEMA_VERSION) return;
  throw new Problem("schema_older", `it has schema ${version}, this program needs ${SCHEMA_VERSION}`);
}

/** The database's version, from 1 to `known`. Throws `store_unavailable` for a newer one and for what is no database of ours. */
export function readSchemaVersion(database: SqlDatabase, known: number): number {
  let version: unknown;
  try {
    version = database.prepare("PRAGMA user_version").get()?.["user_version"];
  } catch (error) {
    throw new Problem("store_unavailable", `the database cannot be read: ${String(error)}`);
  }
  if (typeof version !== "number" || version < 1)
    throw new Problem("store_unavailable", `the database has no schema this program knows (${String(version)})`);
  if (version > known)
    throw new Problem(
      "store_unavailable",
      `the database was written by a newer Sallyport (schema ${version}, this one knows ${known}): run that version, or put back the copy of the data directory made before the upgrade`,
    );
  return version;
}

export type MetaName =
  | "state"
  | "epoch"
  | "head"
  | "truncated_before"
  | "node"
  | "logs_from"
  | "usage_through"
  | "permissions_since"
  /** Only where changes go through a log that several machines share. */
  | "deployment"
  | "log_head";

/** A value of the meta table; a missing one is damage. */
export function readMeta(database: SqlDatabase, name: MetaName): string {
  const value = database.prepare("SELECT value FROM meta WHERE name = ?").get(name)?.["value"];
  if (typeof value !== "string") throw new Problem("fault", `the database is damaged: meta has no ${name}`);
  return value;
}

/** A whole number of the meta table, from 0. */
export function readCounter(
  database: SqlDatabase,
  name: Exclude<MetaName, "state" | "head" | "node" | "deployment" | "log_head">,
): number {
  const text = readMeta(database, name);
  const value = Number(text);
  if (!/^(0|[1-9]\d{0,15})$/.test(text) || !Number.isSafeInteger(value)) {
    throw new Problem("fault", `the database is damaged: meta ${name} is no number`);
  }
  return value;
}
