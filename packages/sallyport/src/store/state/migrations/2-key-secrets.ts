/**
 * To schema 2: a key has secrets with a lifecycle, and its uses are counted; environments have a policy for the
 * lifecycle of keys. Existing secrets become the first ones; inactivity is counted from the day of the upgrade, because
 * it was not counted before. The tables are written out here: a step stays what it was when the schema moves on.
 */
import type { Migration } from "./migration.ts";

const DAY_MS = 86_400_000;

const KEY_LIFE = JSON.stringify({
  overlapMs: 7 * DAY_MS,
  overlapMaxMs: 14 * DAY_MS,
  quietMs: DAY_MS,
  rotateWithinMs: 7 * DAY_MS,
  noticesMs: [14 * DAY_MS, 7 * DAY_MS, 3 * DAY_MS, DAY_MS],
  brownoutMs: 0,
  neverUsedMs: 14 * DAY_MS,
  unusedNoticeMs: 30 * DAY_MS,
  idleMs: 45 * DAY_MS,
  destroyMs: 90 * DAY_MS,
  orphanMs: 7 * DAY_MS,
});

export const keySecrets: Migration = {
  to: 2,
  says: "keys have several secrets, and their use is counted",
  apply(database, now) {
    database.exec(`
ALTER TABLE environment RENAME TO environment_1;
CREATE TABLE environment (
  name TEXT NOT NULL PRIMARY KEY,
  upstreams TEXT NOT NULL,
  key_max_age_ms INTEGER NOT NULL,
  cloud TEXT NOT NULL CHECK (cloud IN ('deny', 'allow')),
  registries TEXT NOT NULL,
  keep_alive_max_seconds REAL NOT NULL,
  limits TEXT NOT NULL,
  guard TEXT NOT NULL,
  key_life TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO environment SELECT name, upstreams, key_max_age_ms, cloud, registries, keep_alive_max_seconds, limits, guard,
  '${KEY_LIFE}' FROM environment_1;
DROP TABLE environment_1;
DROP INDEX key_owner;
ALTER TABLE key RENAME TO key_1;
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
  PRIMARY KEY (environment, id)
) STRICT, WITHOUT ROWID;
INSERT INTO key SELECT environment, id, name, owner, state, CASE state WHEN 'active' THEN NULL ELSE 'by_administrator' END,
  json_array(json_object('generation', 1, 'state', 'active', 'hash', lower(hex(hash)), 'pepperVersion', pepper_version,
    'createdAt', created_at, 'expiresAt', expires_at, 'endsAt', NULL)),
  NULL, NULL, NULL, expires_at - created_at, '[]', ${now}, ceiling, limits, admin, created_at, created_by FROM key_1;
DROP TABLE key_1;
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
`);
  },
};
