/**
 * To schema 4: the records of each environment are a log with a Merkle tree and signed checkpoints, in addition to the
 * chain; policy says how to respond to anomalies, and a key may be a canary key. Earlier records stay in the chain
 * alone: putting them into trees now would claim what was not signed then.
 */
import { parseSignedHead } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import { randomBase62 } from "../../../kernel/ids.ts";
import type { Migration } from "./migration.ts";

const ANOMALIES = JSON.stringify({
  budget: 1,
  actions: { default: "notify", decoy_used: "suspend" },
  forMs: 3_600_000,
});

export const logs: Migration = {
  to: 4,
  says: "the records of each environment are a log with proofs",
  apply(database) {
    const head = database.prepare("SELECT value FROM meta WHERE name = 'head'").get()?.["value"];
    const signed = typeof head === "string" ? parseSignedHead(head) : undefined;
    if (!signed) throw new Problem("store_unavailable", "the head of the audit log cannot be read");
    database.exec(`CREATE TABLE log (
  environment TEXT NOT NULL PRIMARY KEY,
  base TEXT NOT NULL,
  first_key TEXT NOT NULL,
  state TEXT NOT NULL,
  checkpoint TEXT NOT NULL,
  generation INTEGER NOT NULL,
  key_since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE response (
  id TEXT NOT NULL PRIMARY KEY,
  environment TEXT NOT NULL,
  key_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  action TEXT NOT NULL,
  networks TEXT NOT NULL,
  at INTEGER NOT NULL,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE environment RENAME TO environment_3;
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
INSERT INTO environment SELECT *, '${ANOMALIES}', 'fail_closed' FROM environment_3;
DROP TABLE environment_3;
DROP INDEX key_owner;
ALTER TABLE key RENAME TO key_3;
CREATE TABLE key (
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
INSERT INTO key SELECT *, 0 FROM key_3;
DROP TABLE key_3;
CREATE INDEX key_owner ON key (owner, environment, id) WHERE owner IS NOT NULL;`);
    const put = database.prepare("INSERT INTO meta (name, value) VALUES (?, ?)");
    put.run("node", randomBase62(12));
    put.run("logs_from", String(signed.seq + 1));
  },
};
