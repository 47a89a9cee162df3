/**
 * To schema 3: environments, roles and keys may require more than the credential (networks, signatures), and a key may
 * have public keys and a URL token. Nothing existing requires anything, so nothing is denied that was served. Users may
 * be known to directories, and a policy says what happens to keys when their owner changes. The tables are written out
 * here: a step stays what it was when the schema moves on.
 */
import type { Migration } from "./migration.ts";

const TOKENS = JSON.stringify({ ttlMs: 15 * 60_000, isOnly: false });

export const factors: Migration = {
  to: 3,
  says: "environments, roles and keys may demand factors besides the credential; people may be known to directories",
  apply(database) {
    database.exec(`
ALTER TABLE environment RENAME TO environment_2;
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
  key_fate TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO environment SELECT *, NULL, '[]', '[]', 'deny', '${TOKENS}',
  '{"onLeave":"revoke","onRoleLost":"revoke","onSignOut":"keep","onRisk":"suspend"}' FROM environment_2;
DROP TABLE environment_2;
ALTER TABLE principal RENAME TO principal_2;
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
INSERT INTO principal SELECT *, CASE is_disabled WHEN 1 THEN '["admin"]' ELSE '[]' END, 0, NULL FROM principal_2;
DROP TABLE principal_2;
ALTER TABLE role RENAME TO role_2;
CREATE TABLE role (
  name TEXT NOT NULL PRIMARY KEY,
  grants TEXT NOT NULL,
  limits TEXT NOT NULL,
  guard TEXT NOT NULL,
  networks TEXT,
  require TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO role SELECT *, NULL, '[]' FROM role_2;
DROP TABLE role_2;
DROP INDEX key_owner;
ALTER TABLE key RENAME TO key_2;
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
  PRIMARY KEY (environment, id)
) STRICT, WITHOUT ROWID;
INSERT INTO key SELECT *, NULL, NULL, '[]', '[]', NULL, '[]', NULL FROM key_2;
DROP TABLE key_2;
CREATE INDEX key_owner ON key (owner, environment, id) WHERE owner IS NOT NULL;
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
`);
  },
};
