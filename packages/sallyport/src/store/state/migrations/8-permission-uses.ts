/**
 * To schema 8: counters of permissions, and the right-sizing of keys. The counters begin with the first record after the
 * upgrade; `sallyport usage rebuild` counts what was recorded before.
 */
import type { Migration } from "./migration.ts";

export const permissionUses: Migration = {
  to: 8,
  says: "uses of permissions are counted by key, model and day, and keys can be right-sized",
  apply(database, now) {
    database.exec(`CREATE TABLE permission_use (
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
CREATE TABLE rightsizing (
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
) STRICT, WITHOUT ROWID;`);
    database.prepare("INSERT INTO meta (name, value) VALUES ('permissions_since', ?)").run(String(now));
  },
};
