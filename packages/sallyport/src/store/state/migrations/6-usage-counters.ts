/**
 * To schema 6: counters of use. They begin with the first record after the upgrade: reading the whole audit log here
 * would keep a large gateway from starting. `sallyport usage rebuild` counts what was recorded before.
 */
import { parseSignedHead } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import type { Migration } from "./migration.ts";

export const countedUsage: Migration = {
  to: 6,
  says: "requests, tokens and compute time are counted by key, owner, team, model and day",
  apply(database) {
    const head = database.prepare("SELECT value FROM meta WHERE name = 'head'").get()?.["value"];
    const signed = typeof head === "string" ? parseSignedHead(head) : undefined;
    if (!signed) throw new Problem("store_unavailable", "the head of the audit log cannot be read");
    database.exec(`CREATE TABLE usage (
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
CREATE INDEX usage_owner ON usage (principal, environment, day);`);
    database.prepare("INSERT INTO meta (name, value) VALUES ('usage_through', ?)").run(String(signed.seq));
  },
};
