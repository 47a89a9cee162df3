/** To schema 9: access reviews and their lines. It begins empty. */
import type { Migration } from "./migration.ts";

export const keptReviews: Migration = {
  to: 9,
  says: "access reviews are kept, with a line for each right that is reviewed",
  apply(database) {
    database.exec(`CREATE TABLE review (
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
CREATE INDEX review_line_reviewer ON review_line (review, status, assigned_to);`);
  },
};
