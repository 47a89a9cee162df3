/**
 * What the search of keys needs of each key's row, without verifying it: that says which keys are read, and each of those
 * is verified. A misshapen row is no key that can be found; lists and the check of the state report it.
 */
import type { KeyBriefs } from "../../keys/search/key-index.ts";
import type { KeyBrief } from "../../keys/search/key-columns.ts";
import type { SqlDatabase, SqlRow } from "../disk/sqlite.ts";

/** Longer texts are no key's: they are not even read. */
const SELECT = `SELECT environment, id, substr(name, 1, 400) AS name, substr(owner, 1, 100) AS owner, state, created_at,
  idle_since, lifetime_ms, decoy, session IS NOT NULL AS is_session,
  CASE WHEN length(secrets) <= 65536 THEN secrets ELSE '' END AS secrets`;

export function makeReadBriefs(database: SqlDatabase): KeyBriefs {
  const some = database.prepare(
    `${SELECT} FROM key WHERE (environment, id) > (?, ?) AND length(id) <= 64 ORDER BY environment, id LIMIT ?`,
  );
  const uses = database.prepare(
    `SELECT environment, id, generation, max(used_at) AS used_at FROM key_use
     WHERE (environment, id) > (?1, ?2) AND (environment, id) <= (?3, ?4) GROUP BY environment, id, generation`,
  );
  return ({ after, limit }) => {
    const slash = after.indexOf("/");
    const place = slash < 0 ? ["", ""] : [after.slice(0, slash), after.slice(slash + 1)];
    const rows = some.all(...place, limit);
    const last = rows.at(-1);
    if (!last) return { keys: [], uses: [], next: null };
    const end = [String(last["environment"]), String(last["id"])];
    return {
      keys: rows.map(readBrief).filter((key) => key !== undefined),
      uses: uses.all(...place, ...end).map((row) => ({
        environment: String(row["environment"]),
        id: String(row["id"]),
        generation: Number(row["generation"]),
        usedAt: Number(row["used_at"]),
      })),
      next: rows.length < limit ? null : end.join("/"),
    };
  };
}

const STATES = ["active", "suspended", "revoked"] as const satisfies readonly KeyBrief["state"][];

function readBrief(row: SqlRow): KeyBrief | undefined {
  const state = STATES.find((known) => known === row["state"]);
  const secrets = readSecrets(String(row["secrets"]));
  if (!state || !secrets) return undefined;
  return {
    environment: String(row["environment"]),
    id: String(row["id"]),
    name: String(row["name"]),
    owner: row["owner"] === null ? null : String(row["owner"]),
    state,
    createdAt: Number(row["created_at"]),
    idleSince: Number(row["idle_since"]),
    lifetimeMs: row["lifetime_ms"] === null ? null : Number(row["lifetime_ms"]),
    isDecoy: row["decoy"] === 1,
    isSession: row["is_session"] === 1,
    secrets,
  };
}

function readSecrets(text: string): KeyBrief["secrets"] | undefined {
  try {
    const read: unknown = JSON.parse(text);
    return Array.isArray(read) && read.every((one) => typeof one === "object" && one !== null)
      ? (read as KeyBrief["secrets"])
      : undefined;
  } catch {
    return undefined;
  }
}
