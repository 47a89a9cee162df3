/** Reads of the store, over one read-only connection with statements prepared once. Sees every commit at once. */
import type { PolicyState } from "../access/policy.ts";
import type { KeyRecord } from "../keys/key.ts";
import { dataPaths } from "./data-paths.ts";
import type { KeyFilter, StoreReader } from "./ports.ts";
import {
  readAssignment,
  readDirectoryGroup,
  readEnvironment,
  readKey,
  readKeyUse,
  readPrincipal,
  readRole,
  readTicket,
} from "./rows.ts";
import { checkSchema, readCounter } from "./schema.ts";
import { openDatabase } from "./sqlite.ts";

/** -1 is SQLite's "no limit". */
const NO_LIMIT = -1;

export function openReader(directory: string): StoreReader {
  const database = openDatabase(dataPaths(directory).database, { isReadOnly: true });
  checkSchema(database);
  const environments = database.prepare("SELECT * FROM environment ORDER BY name");
  const roles = database.prepare("SELECT * FROM role ORDER BY name");
  const principals = database.prepare("SELECT * FROM principal ORDER BY id");
  const assignments = database.prepare("SELECT * FROM assignment ORDER BY id");
  const groups = database.prepare("SELECT * FROM directory_group ORDER BY id");
  const oneKey = database.prepare("SELECT * FROM key WHERE environment = ? AND id = ?");
  const keyUses = database.prepare("SELECT * FROM key_use WHERE environment = ? AND id = ?");
  const oneTicket = database.prepare("SELECT * FROM ticket WHERE environment = ? AND id = ?");
  const sealedTickets = database.prepare(
    "SELECT * FROM ticket WHERE sealed IS NOT NULL ORDER BY created_at LIMIT 1000",
  );
  const keyIds = database.prepare("SELECT environment, id FROM key");
  const ollamaSigners = database.prepare("SELECT fingerprint, environment, key_id FROM ollama_signer");
  const someKeys = database.prepare(
    `SELECT * FROM key WHERE (?1 IS NULL OR environment = ?1) AND (?2 IS NULL OR owner = ?2) AND (environment, id) > (?3, ?4)
     ORDER BY environment, id LIMIT ?5`,
  );

  return {
    policy(): PolicyState {
      // One transaction, so that the epoch is that of exactly these rows.
      database.exec("BEGIN");
      try {
        return {
          epoch: readCounter(database, "epoch"),
          environments: environments.all().map(readEnvironment),
          roles: roles.all().map(readRole),
          principals: principals.all().map(readPrincipal),
          assignments: assignments.all().map(readAssignment),
          groups: groups.all().map(readDirectoryGroup),
        };
      } finally {
        database.exec("COMMIT");
      }
    },
    key(environment, id) {
      const row = oneKey.get(environment, id);
      return row && readKey(row);
    },
    keys(filter: KeyFilter): readonly KeyRecord[] {
      const [afterEnvironment, afterId] = splitName(filter.after);
      const { environment = null, owner = null, limit = NO_LIMIT } = filter;
      return someKeys.all(environment, owner, afterEnvironment, afterId, limit).map(readKey);
    },
    keyUses: (environment, id) => keyUses.all(environment, id).map(readKeyUse),
    ticket(environment, id) {
      const row = oneTicket.get(environment, id);
      return row && readTicket(row);
    },
    sealedTickets: () => sealedTickets.all().map(readTicket),
    eachKeyId(visit) {
      for (const row of keyIds.iterate()) visit(String(row["environment"]), String(row["id"]));
    },
    eachOllamaSigner(visit) {
      for (const row of ollamaSigners.iterate())
        visit(String(row["fingerprint"]), String(row["environment"]), String(row["key_id"]));
    },
    close: () => database.close(),
  };
}

function splitName(name: string | undefined): readonly [string, string] {
  const slash = name?.indexOf("/") ?? -1;
  return name === undefined || slash < 0 ? ["", ""] : [name.slice(0, slash), name.slice(slash + 1)];
}
