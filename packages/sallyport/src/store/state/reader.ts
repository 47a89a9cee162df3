/** Reads of the store, over one read-only connection with statements prepared once. Sees every commit at once. */
import type { PolicyState } from "../../access/policy.ts";
import type { KeyRecord } from "../../keys/key.ts";
import { DamagedRecord } from "../disk/damaged-record.ts";
import { dataPaths } from "../disk/data-paths.ts";
import { checkSchema, readCounter } from "../disk/schema.ts";
import type { SqlRow } from "../disk/sqlite.ts";
import { isTooLarge, openDatabase } from "../disk/sqlite.ts";
import type { KeyFilter, StoreReader } from "../ports.ts";
import { boundTables } from "./bound-tables.ts";
import type { BoundTable } from "./bound-tables.ts";
import { makeReadBriefs } from "./key-briefs.ts";
import { readFindingRecord } from "./finding-rows.ts";
import { readLocalLogin } from "./local-login-rows.ts";
import { readDirectoryGroup, readPrincipal } from "./principal-rows.ts";
import { readRightsizing } from "./rightsizing-rows.ts";
import { readRestriction } from "./restriction-rows.ts";
import { readLineStatus, readReview, readReviewLine } from "./review-rows.ts";
import { idOf, rowIdOf } from "./row-binding.ts";
import type { RowKeys } from "./row-keys.ts";
import { readAssignment, readEnvironment, readKey, readKeyUse, readRole, readTicket } from "./rows.ts";
import { readRevokedToken, readTokenKey } from "./token-rows.ts";

/** -1 is SQLite's "no limit". */
const NO_LIMIT = -1;

/** Told of each damaged row that is met, each time. */
export type OnDamage = (damage: { readonly table: string; readonly record: string; readonly says: string }) => void;

/** What shows that a row is as the gateway wrote it. */
export interface RowCodes {
  readonly keys: RowKeys;
  /** Policy was checked before the start; it is read whole after every change, so it is not checked again. */
  readonly isPolicyChecked: boolean;
}

export function openReader(directory: string, codes: RowCodes, onDamage: OnDamage = () => {}): StoreReader {
  const database = openDatabase(dataPaths(directory).database, { isReadOnly: true });
  checkSchema(database);
  const genuine = <T>(table: string, read: (row: SqlRow) => T): ((row: SqlRow) => T) =>
    genuineRows(codes.keys, table, read);
  let { isPolicyChecked } = codes;
  const readBoundKey = genuine("key", readKey);
  const oneKey = database.prepare(`${selectWithCode("key")} WHERE environment = ? AND id = ?`);
  const keyUses = database.prepare("SELECT * FROM key_use WHERE environment = ? AND id = ?");
  const oneTicket = database.prepare(`${selectWithCode("ticket")} WHERE environment = ? AND id = ?`);
  const sealedTickets = database.prepare(
    `${selectWithCode("ticket")} WHERE sealed IS NOT NULL ORDER BY created_at LIMIT 1000`,
  );
  const keyIds = database.prepare("SELECT environment, id FROM key");
  const ollamaSigners = database.prepare("SELECT fingerprint, environment, key_id FROM ollama_signer");
  const tokenKeys = database.prepare(`${selectWithCode("token_key")} ORDER BY id`);
  const restrictions = database.prepare(`${selectWithCode("response")} ORDER BY id`);
  const findings = database.prepare(`${selectWithCode("finding")} ORDER BY id`);
  const rightsizings = database.prepare(`${selectWithCode("rightsizing")} ORDER BY environment, key_id`);
  const reviews = database.prepare(`${selectWithCode("review")} ORDER BY id`);
  const oneLine = database.prepare(`${selectWithCode("review_line")} WHERE review = ? AND line = ?`);
  const someLines = database.prepare(
    `${selectWithCode("review_line")} WHERE review = ?1 AND line > ?2 AND (?3 IS NULL OR status = ?3)
     AND (?4 IS NULL OR assigned_to = ?4) ORDER BY line LIMIT ?5`,
  );
  const lineCounts = database.prepare(
    "SELECT assigned_to, status, count(*) AS lines FROM review_line WHERE review = ? GROUP BY status, assigned_to",
  );
  const localLogins = database.prepare(`${selectWithCode("local_login")} ORDER BY principal`);
  const revokedTokens = database.prepare(selectWithCode("revoked_token"));
  const some = `WHERE (?1 IS NULL OR environment = ?1) AND (?2 IS NULL OR owner = ?2) AND (environment, id) > (?3, ?4)
     ORDER BY environment, id LIMIT ?5`;
  const someKeys = database.prepare(`${selectWithCode("key")} ${some}`);
  const someKeyIds = database.prepare(`SELECT environment, id FROM key ${some}`);

  /**
   * The key's row; if it cannot even be read from the database, its name alone, which every reader reports as damage.
   */
  function keyRow(environment: string, id: string): SqlRow | undefined {
    try {
      return oneKey.get(environment, id);
    } catch (cause) {
      if (isTooLarge(cause)) return { environment, id };
      throw cause;
    }
  }

  function keyRows(...page: (string | number | null)[]): readonly SqlRow[] {
    try {
      return someKeys.all(...page);
    } catch (cause) {
      if (!isTooLarge(cause)) throw cause;
      const ids = someKeyIds.all(...page);
      return ids
        .map(({ environment, id }) => keyRow(String(environment), String(id)))
        .filter((row) => row !== undefined);
    }
  }

  /** Reports a damaged row and rethrows. */
  function told<T>(read: (row: SqlRow) => T): (row: SqlRow) => T {
    return (row) => {
      try {
        return read(row);
      } catch (cause) {
        if (cause instanceof DamagedRecord) onDamage({ table: cause.table, record: cause.record, says: cause.message });
        throw cause;
      }
    };
  }

  /** Of many rows those that are whole: one that is damaged must not keep the others from being served. */
  function whole<T>(rows: readonly SqlRow[], read: (row: SqlRow) => T): readonly T[] {
    return rows.flatMap((row) => {
      try {
        return [told(read)(row)];
      } catch (cause) {
        if (cause instanceof DamagedRecord) return [];
        throw cause;
      }
    });
  }

  /** Of policy all rows are needed: one that is not the gateway's ends the reading. */
  function policyRows<T>(table: string, order: string, read: (row: SqlRow) => T): readonly T[] {
    const select = isPolicyChecked ? `SELECT * FROM ${table}` : selectWithCode(table);
    const rows = database.prepare(`${select} ORDER BY ${order}`).all();
    return rows.map(isPolicyChecked ? read : genuine(table, read));
  }

  return {
    policy(): PolicyState {
      // One transaction, so that the epoch is that of exactly these rows.
      database.exec("BEGIN");
      try {
        const state = {
          epoch: readCounter(database, "epoch"),
          environments: policyRows("environment", "name", readEnvironment),
          roles: policyRows("role", "name", readRole),
          principals: policyRows("principal", "id", readPrincipal),
          assignments: policyRows("assignment", "id", readAssignment),
          groups: policyRows("directory_group", "id", readDirectoryGroup),
        };
        isPolicyChecked = true;
        return state;
      } finally {
        database.exec("COMMIT");
      }
    },
    key(environment, id) {
      const row = keyRow(environment, id);
      return row && told(readBoundKey)(row);
    },
    keys(filter: KeyFilter): readonly KeyRecord[] {
      let [afterEnvironment, afterId] = splitName(filter.after);
      const { environment = null, owner = null, limit = NO_LIMIT } = filter;
      const found: KeyRecord[] = [];
      for (;;) {
        const wanted = limit === NO_LIMIT ? NO_LIMIT : limit - found.length;
        const rows = keyRows(environment, owner, afterEnvironment, afterId, wanted);
        found.push(...whole(rows, readBoundKey));
        const last = rows.at(-1);
        // A page is short only at the end: who pages takes that for the last one.
        if (!last || found.length === limit || rows.length < wanted || wanted === NO_LIMIT) return found;
        afterEnvironment = String(last["environment"]);
        afterId = String(last["id"]);
      }
    },
    keyBriefs: makeReadBriefs(database),
    keyUses(environment, id) {
      try {
        return keyUses.all(environment, id).map(told(readKeyUse));
      } catch (cause) {
        if (!isTooLarge(cause)) throw cause;
        // Read as a use without any of its facts: damaged, by the same way as every other.
        return [told(readKeyUse)({ environment, id })];
      }
    },
    ticket(environment, id) {
      const row = oneTicket.get(environment, id);
      return row && told(genuine("ticket", readTicket))(row);
    },
    sealedTickets: () => whole(sealedTickets.all(), genuine("ticket", readTicket)),
    eachKeyId(visit) {
      for (const row of keyIds.iterate()) visit(String(row["environment"]), String(row["id"]));
    },
    tokenKeys: () => tokenKeys.all().map(genuine("token_key", readTokenKey)),
    localLogins: () => whole(localLogins.all(), genuine("local_login", readLocalLogin)),
    findings: () => whole(findings.all(), genuine("finding", readFindingRecord)),
    reviews: () => whole(reviews.all(), genuine("review", readReview)),
    reviewLine(review, line) {
      const row = oneLine.get(review, line);
      return row && told(genuine("review_line", readReviewLine))(row);
    },
    // A page that has damage is no page: a line of a review is never skipped.
    reviewLines: ({ review, after = 0, status = null, assignedTo = null, limit }) =>
      someLines.all(review, after, status, assignedTo, limit).map(told(genuine("review_line", readReviewLine))),
    reviewCounts: (review) =>
      lineCounts.all(review).map((row) => ({
        assignedTo: row["assigned_to"] === null ? null : String(row["assigned_to"]),
        status: readLineStatus(row["status"]),
        lines: Number(row["lines"]),
      })),
    restrictions: () => whole(restrictions.all(), genuine("response", readRestriction)),
    rightsizings: () => rightsizings.all().map(genuine("rightsizing", readRightsizing)),
    revokedTokens: () => revokedTokens.all().map(genuine("revoked_token", readRevokedToken)),
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

/** Beside a row's own columns, in the same statement: a commit between two would make a row and its code strangers. */
const EPOCH = "#epoch";
const MAC = "#mac";

/** `SELECT` of a bound table's rows with their codes. */
function selectWithCode(name: string): string {
  const where = `FROM row_mac WHERE row_mac.tbl = '${name}' AND row_mac.id = ${idOf(tableOf(name), `${name}.`)}`;
  return `SELECT *, (SELECT epoch ${where}) AS "${EPOCH}", (SELECT mac ${where}) AS "${MAC}" FROM ${name}`;
}

/** Makes the reading of a table's rows one that throws `record_damaged` for those that the gateway did not write. */
function genuineRows<T>(keys: RowKeys, name: string, read: (row: SqlRow) => T): (row: SqlRow) => T {
  const table = tableOf(name);
  return (row) => {
    // First its shape: of what is misshapen the place is named.
    const value = read(row);
    const id = rowIdOf(table, row);
    const { [EPOCH]: epoch, [MAC]: mac, ...columns } = row;
    const isGenuine =
      typeof epoch === "number" && mac instanceof Uint8Array && keys.macOf(name, id, epoch, columns).equals(mac);
    if (!isGenuine) throw new DamagedRecord(name, id, "it is not what the gateway wrote");
    return value;
  };
}

function tableOf(name: string): BoundTable {
  const table = boundTables[name];
  if (!table) throw new Error(`the rows of ${name} are not bound`);
  return table;
}
