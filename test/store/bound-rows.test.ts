/** Rows that give rights are what the gateway wrote, or they count for nothing: whatever is edited, and wherever. */
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { principalOf, roleOf } from "../builders.ts";
import {
  boundTables,
  checkState,
  dataPaths,
  openDatabase,
  openSealer,
  openSigningKey,
  unboundTables,
} from "../program-under-test.ts";
import { storedLine, storedReview } from "../review-rows.ts";
import { change, key, makeDirectory, open, START_MS } from "./store-fixture.ts";

const databaseOf = (directory: string): string => join(directory, "sallyport.db");

function alter(directory: string, sql: string): void {
  const database = openDatabase(databaseOf(directory), { isReadOnly: false });
  database.exec(sql);
  database.close();
}

async function stateOf(directory: string) {
  const database = openDatabase(databaseOf(directory), { isReadOnly: true });
  try {
    const signingKey = openSigningKey(dataPaths(directory), openSealer(directory));
    return await checkState({ database, signingKey });
  } finally {
    database.close();
  }
}

/** A directory with a row in every table that is bound. */
async function makeFull(): Promise<string> {
  const { store, directory } = await open();
  const signer = {
    id: "s1",
    use: "ollama",
    algorithm: "ed25519",
    material: "m",
    createdAt: 1,
    createdBy: "x",
  } as const;
  await store.change(
    change([
      { op: "key.insert", key: key("a") },
      { op: "key.insert", key: key("b", { signers: [signer] }) },
      { op: "role.put", role: roleOf("bot", []) },
      {
        op: "principal.put",
        principal: principalOf("p1", { name: "Ada", isDisabled: true, disabledBy: ["admin"], createdAt: 1 }),
      },
      { op: "group.put", group: { id: "g1", name: "ops", externalId: null, createdAt: 1, changedAt: 1 } },
      {
        op: "assignment.put",
        assignment: {
          id: "as1",
          subject: { principal: "p1" },
          environment: "dev",
          source: "admin",
          right: { roles: ["bot"], allow: [], models: null },
        },
      },
      { op: "token.revoke", token: { environment: "dev", id: "t1", expiresAt: START_MS } },
      {
        op: "finding.put",
        finding: {
          id: "dev/key_unused/key:a",
          environment: "dev",
          code: "key_unused",
          subject: "key:a",
          firstSeenAt: 1,
          fixedAt: null,
          acceptance: { until: 2, reason: "r", by: "os:x", at: 1 },
        },
      },
      { op: "review.put", review: storedReview() },
      { op: "review.freeze", lines: [storedLine()] },
      {
        op: "restriction.put",
        restriction: {
          id: "dev/a/decoy_used/1",
          environment: "dev",
          key: key("a").id,
          kind: "decoy_used",
          action: "suspend",
          networks: [],
          at: 1,
          until: 2,
        },
      },
    ] as never),
  );
  await store.change(
    change([{ op: "key.state", environment: "dev", id: key("b").id, state: "revoked", reason: "by_administrator" }]),
  );
  await store.close();
  return directory;
}

describe("the state as the gateway wrote it", () => {
  it("is whole, and stays so over changes, restarts and removals", async () => {
    const directory = await makeFull();
    expect(await stateOf(directory)).toEqual({ ok: true, rows: expect.any(Number) });
    const { store } = await open({ directory });
    await store.change(
      change([
        { op: "assignment.remove", id: "as1" },
        { op: "role.remove", name: "bot" },
      ]),
    );
    await expect(store.change(change([{ op: "role.put", role: { name: "x" } as never }]))).rejects.toThrow();
    await store.close();
    expect(await stateOf(directory)).toMatchObject({ ok: true });
  });

  it("has a word on every table", () => {
    const database = openDatabase(databaseOf(makeDirectory()), { isReadOnly: true });
    const names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    database.close();
    expect(names.map(({ name }) => String(name)).toSorted()).toEqual(
      [...Object.keys(boundTables), ...Object.keys(unboundTables)].toSorted(),
    );
  });
});

const all = `'{"permissions":["admin:manage"],"environments":"*","mayGrant":"*"}'`;

describe.each([
  ["key", `UPDATE key SET admin = ${all} WHERE id = '${key("a").id}'`, `dev/${key("a").id}`],
  ["key", `UPDATE key SET state = 'active', reason = NULL WHERE id = '${key("b").id}'`, `dev/${key("b").id}`],
  ["key", `DELETE FROM key WHERE id = '${key("b").id}'`, `dev/${key("b").id}`],
  [
    "key",
    `INSERT INTO key SELECT environment, 'zzzzzzzzzzzz', ${"name, owner, state, reason, secrets, rotation, rotated_at, frozen_at, lifetime_ms, told, idle_since, ceiling, limits, admin, created_at, created_by, networks, binding, require, signers, path_secret, workloads, session, decoy"} FROM key WHERE id = '${key("a").id}'`,
    "dev/zzzzzzzzzzzz",
  ],
  ["principal", "UPDATE principal SET is_disabled = 0, disabled_by = '[]'", "p1"],
  ["assignment", `UPDATE assignment SET subject = '{"group":"everyone"}'`, "as1"],
  ["assignment", "DELETE FROM assignment", "as1"],
  ["role", `UPDATE role SET grants = '[{"permissions":["infer:chat"],"models":["*"]}]'`, "bot"],
  ["environment", "UPDATE environment SET cloud = 'allow' WHERE name = 'dev'", "dev"],
  ["environment", "DELETE FROM environment WHERE name = 'prod'", "prod"],
  ["revoked_token", "DELETE FROM revoked_token", "dev/t1"],
  ["response", "DELETE FROM response", "dev/a/decoy_used/1"],
  ["response", "UPDATE response SET until = 1", "dev/a/decoy_used/1"],
  ["response", "UPDATE response SET kind = 'x'", "dev/a/decoy_used/1"],
  ["finding", "DELETE FROM finding", "dev/key_unused/key:a"],
  ["finding", "UPDATE finding SET first_seen_at = 2", "dev/key_unused/key:a"],
  ["directory_group", "UPDATE directory_group SET name = 'admins'", "g1"],
  ["log", "UPDATE log SET generation = 2 WHERE environment = 'dev'", "dev"],
  ["log", "DELETE FROM log WHERE environment = 'dev'", "dev"],
  ["meta", "UPDATE meta SET value = '1' WHERE name = 'epoch'", "epoch"],
  ["meta", "UPDATE meta SET value = '9000000' WHERE name = 'truncated_before'", "truncated_before"],
  ["meta", "UPDATE meta SET value = 'abcdefghijkl' WHERE name = 'node'", "node"],
  ["sqlite_master", "CREATE TRIGGER t AFTER INSERT ON ledger BEGIN UPDATE key SET state = 'active'; END", "t"],
  ["sqlite_master", "CREATE TABLE extra (x TEXT)", "extra"],
  ["sqlite_master", "DROP INDEX key_owner", "key_owner"],
  [
    "sqlite_master",
    "DROP TABLE ollama_signer; CREATE VIEW ollama_signer AS SELECT id AS fingerprint, environment, id AS key_id FROM key",
    "ollama_signer",
  ],
])("a row of %s that something else wrote (%s)", (table, sql, id) => {
  it("is named, and no store opens over it", async () => {
    const directory = await makeFull();
    alter(directory, sql);
    expect(await stateOf(directory)).toMatchObject({ ok: false, firstDifference: { table, id } });
    await expect(open({ directory })).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining(
        table === "sqlite_master" ? `${id} of the schema` : `table ${table}, row ${id}`,
      ) as string,
    });
  });
});

describe("rows with the codes of an older time", () => {
  it("put back, are found by the sum in the signed head", async () => {
    const directory = await makeFull();
    const older = `${directory}.older.db`;
    const { store } = await open({ directory });
    await store.change(change([{ op: "key.insert", key: key("c") }]));
    await store.close();
    copyFileSync(databaseOf(directory), older);
    const again = await open({ directory });
    await again.store.change(
      change([{ op: "key.state", environment: "dev", id: key("c").id, state: "revoked", reason: "by_administrator" }]),
    );
    await again.store.close();
    const back = (table: string, where: string): string =>
      `DELETE FROM ${table} WHERE ${where}; INSERT INTO ${table} SELECT * FROM older.${table} WHERE ${where};`;
    alter(
      directory,
      `ATTACH '${older}' AS older; ${back("key", `id = '${key("c").id}'`)} ${back("row_mac", `id = 'dev/${key("c").id}'`)}`,
    );
    expect(await stateOf(directory)).toMatchObject({
      ok: false,
      firstDifference: { reason: expect.stringContaining("older") },
    });
    await expect(open({ directory })).rejects.toThrow(/older state/);
    // With the state of that time, too: the head names another.
    alter(directory, `ATTACH '${older}' AS older; ${back("meta", "name IN ('state', 'epoch')")}`);
    await expect(open({ directory })).rejects.toThrow(/signed head names/);
  });

  it("removed together, are found by the sum in the signed head", async () => {
    const directory = await makeFull();
    alter(directory, "DELETE FROM revoked_token; DELETE FROM row_mac WHERE tbl = 'revoked_token'");
    expect(await stateOf(directory)).toMatchObject({ ok: false, firstDifference: { table: "row_mac", id: "" } });
    await expect(open({ directory })).rejects.toThrow(/rows were removed/);
  });

  it("are not bound again by calling the database an older one", async () => {
    const directory = await makeFull();
    alter(
      directory,
      `UPDATE key SET state = 'active', reason = NULL; DROP TABLE row_mac; DELETE FROM meta WHERE name = 'state'; PRAGMA user_version = 4`,
    );
    await expect(open({ directory })).rejects.toThrow(/signed head is of a database with bound rows/);
  });
});

it("the codes' keys are in no file in the clear", async () => {
  const directory = await makeFull();
  const paths = dataPaths(directory);
  expect(readFileSync(paths.signingKey, "utf8")).not.toContain("PRIVATE KEY");
});

describe("a state too large to be read before the start", () => {
  it("is checked beside the server, which is told of the difference and what it is", async () => {
    const { store, directory } = await open();
    const inserts = Array.from({ length: 2_100 }, (_, n) => ({ op: "key.insert", key: key(`n${n}x`) }) as const);
    await store.change(change(inserts));
    await store.close();
    const whole = await open({ directory });
    await whole.store.close();
    alter(directory, "DELETE FROM key WHERE id = 'n7x000000000'");
    const said = await new Promise<string>((resolve) => {
      void open({ directory, onStateDiffers: ({ message }) => resolve(message) });
    });
    expect(said).toContain("table key, row dev/n7x000000000");
  });

  it("refuses an edited row from the first read on", async () => {
    const { store, directory } = await open();
    const inserts = Array.from({ length: 2_100 }, (_, n) => ({ op: "key.insert", key: key(`n${n}x`) }) as const);
    await store.change(change(inserts));
    await store.close();
    alter(directory, `UPDATE key SET admin = ${all} WHERE id = 'n7x000000000'; UPDATE environment SET cloud = 'allow'`);
    const again = (await open({ directory, onStateDiffers: () => undefined })).store;
    expect(() => again.reader.key("dev", "n7x000000000")).toThrow(/not what the gateway wrote/);
    expect(again.reader.key("dev", "n8x000000000")?.state).toBe("active");
    expect(() => again.reader.policy()).toThrow(/not what the gateway wrote/);
  });
});
