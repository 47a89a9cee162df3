/** What the database keeps of the logs, edited or deleted: named as what it is, never as a changed record, and made again. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { noPins } from "@sallyport/ledger";
import { openDatabase, repairAudit, verifyPath } from "../program-under-test.ts";
import { change, open } from "../store/store-fixture.ts";
import { placeOf, write } from "./ledger-fixture.ts";

const RECORDS = 120;

async function makeUsed(): Promise<string> {
  const { store, directory } = await open({ segmentRecords: 50 });
  await write(store, 1, RECORDS);
  await store.close();
  return directory;
}

function alter(directory: string, sql: string): void {
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: false });
  database.exec(sql);
  database.close();
}

const HASH = "a".repeat(64);

describe.each([
  ["a row deleted", "DELETE FROM log WHERE environment = 'dev'"],
  ["every row deleted", "DELETE FROM log", "staging"],
  ["a tree edited", `UPDATE log SET state = replace(state, substr(state, -64), '${HASH}') WHERE environment = 'dev'`],
  ["a tree cut", "UPDATE log SET state = '0:' WHERE environment = 'dev'"],
  ["a tree that is none", "UPDATE log SET state = 'x' WHERE environment = 'dev'"],
  ["a base edited", `UPDATE log SET base = '1:${HASH}' WHERE environment = 'dev'`],
  ["a base that is none", "UPDATE log SET base = 'x' WHERE environment = 'dev'"],
  [
    "a checkpoint of another log",
    "UPDATE log SET checkpoint = (SELECT checkpoint FROM log WHERE environment = 'prod') WHERE environment = 'dev'",
  ],
  ["no checkpoint", "UPDATE log SET checkpoint = '' WHERE environment = 'dev'"],
  [
    "a key of another log",
    "UPDATE log SET first_key = (SELECT first_key FROM log WHERE environment = 'prod') WHERE environment = 'dev'",
  ],
  ["a key that is none", "UPDATE log SET first_key = 'x' WHERE environment = 'dev'"],
])("%s in the table of logs", (_name, sql, row = "dev") => {
  it("is named with its row, and no record is blamed", async () => {
    const directory = await makeUsed();
    alter(directory, sql);
    const verdict = await verifyPath(directory, noPins);
    expect(verdict.ok).toBe(false);
    expect(verdict.firstDamage!.reason).toContain(`table log, row ${row}`);
    expect(verdict.firstDamage!.reason).toContain("no record was changed");
    expect(verdict.firstDamage!.reason).not.toMatch(/(?<!no )record was changed/);
    await expect(open({ directory })).rejects.toThrow(/table log.*sallyport audit repair/);
  });

  it("is made again by a repair, and the ledger goes on", async () => {
    const directory = await makeUsed();
    alter(directory, sql);
    const repaired = await repairAudit(placeOf(directory), () => undefined);
    expect(repaired).toMatchObject({ ok: true, removed: [] });
    expect(repaired.rebuilt.map(({ log }) => log)).toContain("dev");
    const { store } = await open({ directory });
    await write(store, RECORDS + 1, 30);
    await store.change(change([]));
    await store.close();
    expect(await verifyPath(directory, noPins)).toMatchObject({ ok: true });
  });
});

it("damage in a record is told as such, and repaired by nobody", async () => {
  const directory = await makeUsed();
  alter(directory, "UPDATE ledger SET line = replace(line, 'llama3.2', 'llama3.3') WHERE seq = 115");
  const repaired = await repairAudit(placeOf(directory), () => undefined);
  expect(repaired).toMatchObject({ ok: false, removed: [], rebuilt: [], firstDamage: { seq: 115 } });
});
