/**
 * To schema 4: the records of each environment are a log with a Merkle tree and signed checkpoints, beside the chain of
 * all. Records of before stay in the chain alone: putting them into trees now would say of them what nobody signed then.
 */
import { parseSignedHead, Problem } from "@sallyport/protocol";
import { randomBase62 } from "../../kernel/ids.ts";
import type { Migration } from "../migrations.ts";

export const logs: Migration = {
  to: 4,
  says: "the records of each environment are a log with proofs",
  apply(database) {
    const head = database.prepare("SELECT value FROM meta WHERE name = 'head'").get()?.["value"];
    const signed = typeof head === "string" ? parseSignedHead(head) : undefined;
    if (!signed) throw new Problem("store_unavailable", "the ledger's head cannot be read");
    database.exec(`CREATE TABLE log (
  environment TEXT NOT NULL PRIMARY KEY,
  base TEXT NOT NULL,
  first_key TEXT NOT NULL,
  state TEXT NOT NULL,
  checkpoint TEXT NOT NULL,
  generation INTEGER NOT NULL,
  key_since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;`);
    const put = database.prepare("INSERT INTO meta (name, value) VALUES (?, ?)");
    put.run("node", randomBase62(12));
    put.run("logs_from", String(signed.seq + 1));
  },
};
