/** To schema 7: what is kept of findings. It begins empty: a finding is first seen after the upgrade. */
import type { Migration } from "./migration.ts";

export const keptFindings: Migration = {
  to: 7,
  says: "accepted findings are kept, with when each was first seen",
  apply(database) {
    database.exec(`CREATE TABLE finding (
  id TEXT NOT NULL PRIMARY KEY,
  environment TEXT NOT NULL,
  code TEXT NOT NULL,
  subject TEXT NOT NULL,
  first_seen_at INTEGER NOT NULL,
  fixed_at INTEGER,
  acceptance TEXT
) STRICT, WITHOUT ROWID;`);
  },
};
