/** Upgrades of the database, tried out with steps of the test's own after the real ones. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  checkDataDirectory,
  migrations,
  openDatabase,
  SCHEMA_VERSION,
  upgradeDatabase,
} from "../program-under-test.ts";
import type { Migration, Upgraded } from "../program-under-test.ts";
import { change, fill, key, makeDirectory, open, StandingClock } from "./store-fixture.ts";

const NOW = SCHEMA_VERSION;

const toNext: Migration = {
  to: NOW + 1,
  says: "keys get a colour",
  apply: (database) => database.exec("ALTER TABLE key ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'"),
};
const toLast: Migration = {
  to: NOW + 2,
  says: "a table of tags",
  apply(database) {
    database.exec("CREATE TABLE tag (name TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID");
    database.prepare("INSERT INTO tag (name) SELECT colour FROM key LIMIT 1").run();
  },
};

/** A directory with a key and ten records, at the present schema. */
async function makeUsed(): Promise<string> {
  const directory = makeDirectory();
  const { store } = await open({ directory });
  await store.change(change([{ op: "key.insert", key: key("a") }]));
  await fill(store, 0, 10);
  await store.close();
  return directory;
}

interface Tried {
  readonly upgraded: Upgraded | null;
  readonly failure: unknown;
  readonly notices: readonly string[];
}

function upgrade(
  directory: string,
  steps: readonly Migration[],
  more: { freeBytes?: () => number; clock?: StandingClock } = {},
): Tried {
  const notices: string[] = [];
  const options = {
    directory,
    clock: new StandingClock(),
    signingKey: null,
    ...more,
    migrations: [...migrations, ...steps],
  };
  try {
    const upgraded = upgradeDatabase({ ...options, onNotice: (text) => notices.push(text) });
    return { upgraded, failure: undefined, notices };
  } catch (failure) {
    return { upgraded: null, failure, notices };
  }
}

/** Everything in a database: version, schema and rows. */
function contentOf(path: string): unknown {
  const database = openDatabase(path, { isReadOnly: true });
  const tables = database.prepare("SELECT name, sql FROM sqlite_master ORDER BY name").all();
  const rows = tables
    .filter(({ sql }) => String(sql).startsWith("CREATE TABLE"))
    .map(({ name }) => database.prepare(`SELECT * FROM ${String(name)}`).all());
  const version = database.prepare("PRAGMA user_version").get()?.["user_version"];
  database.close();
  return JSON.parse(JSON.stringify({ version, tables, rows }));
}

const databaseOf = (directory: string): string => join(directory, "sallyport.db");
const backupsOf = (directory: string): readonly string[] =>
  existsSync(join(directory, "backups")) ? readdirSync(join(directory, "backups")) : [];

describe("an older database", () => {
  it("is upgraded through every step, after a copy that is closed to others", async () => {
    const directory = await makeUsed();
    const before = contentOf(databaseOf(directory));
    const { upgraded, failure, notices } = upgrade(directory, [toNext, toLast]);
    expect(failure).toBeUndefined();
    const backup = join(directory, "backups", `${NOW}-20251009T085320000Z.db`);
    expect(upgraded).toEqual({ from: NOW, to: NOW + 2, backup });
    expect(notices.join("\n")).toContain(backup);
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, "backups")).mode & 0o777).toBe(0o700);
    expect(contentOf(backup)).toEqual(before);
    expect(contentOf(databaseOf(directory))).toMatchObject({
      version: NOW + 2,
      rows: expect.arrayContaining([[{ name: "grey" }]]),
    });
  });

  it("is upgraded by the steps it lacks only, and not again", async () => {
    const directory = await makeUsed();
    const clock = new StandingClock();
    expect(upgrade(directory, [toNext], { clock }).upgraded).toMatchObject({ from: NOW, to: NOW + 1 });
    clock.ms += 1_000;
    expect(upgrade(directory, [toNext, toLast], { clock }).upgraded).toMatchObject({ from: NOW + 1, to: NOW + 2 });
    expect(upgrade(directory, [toNext, toLast], { clock })).toEqual({
      upgraded: null,
      failure: undefined,
      notices: [],
    });
    const names = [`${NOW}-20251009T085320000Z.db`, `${NOW + 1}-20251009T085321000Z.db`];
    expect(new Set(backupsOf(directory))).toEqual(new Set(names));
    checkDataDirectory(directory);
  });

  it("keeps the newest three copies and lets other files be", async () => {
    const directory = await makeUsed();
    mkdirSync(join(directory, "backups"), { mode: 0o755 });
    for (const name of [
      `${NOW}-20250101T000000000Z.db`,
      `${NOW}-20250102T000000000Z.db`,
      `${NOW}-20250103T000000000Z.db`,
      "mine.db",
    ])
      writeFileSync(join(directory, "backups", name), "", { mode: 0o600 });
    expect(upgrade(directory, [toNext]).failure).toBeUndefined();
    expect(backupsOf(directory)).toEqual([
      `${NOW}-20250102T000000000Z.db`,
      `${NOW}-20250103T000000000Z.db`,
      `${NOW}-20251009T085320000Z.db`,
      "mine.db",
    ]);
  });
});

describe("an upgrade that fails leaves the old database, which opens as before", () => {
  async function expectUntouched(directory: string, before: unknown): Promise<void> {
    expect(contentOf(databaseOf(directory))).toEqual(before);
    const { store } = await open({ directory });
    expect(store.reader.key("dev", key("a").id)?.state).toBe("active");
    await store.close();
  }

  it.each([
    [
      "in the middle",
      {
        to: NOW + 2,
        says: "breaks half way",
        apply: (database) => database.exec("DELETE FROM key; UPDATE meta SET value = 'x'; SELECT nothing FROM nowhere"),
      },
      `the step to schema ${NOW + 2} (breaks half way) failed (`,
    ],
    [
      "on a full disk",
      {
        to: NOW + 2,
        says: "needs room",
        apply(database) {
          database.exec("PRAGMA max_page_count = 1; CREATE TABLE big (b BLOB) STRICT");
          database.exec("INSERT INTO big (b) VALUES (zeroblob(10000000))");
        },
      },
      "full",
    ],
  ] satisfies [string, Migration, string][])("%s", async (_, breaking, said) => {
    const directory = await makeUsed();
    const before = contentOf(databaseOf(directory));
    const { failure } = upgrade(directory, [toNext, breaking]);
    expect(failure).toMatchObject({ code: "store_unavailable", message: expect.stringContaining(said) });
    expect(String(failure)).toContain("the database is as it was");
    expect(backupsOf(directory)).toEqual([]);
    await expectUntouched(directory, before);
  });

  it("by a kill between two steps, and the next start upgrades it", async () => {
    const directory = await makeUsed();
    const before = contentOf(databaseOf(directory));
    const program = fileURLToPath(new URL("./kill-upgrade.js", import.meta.url));
    const { signal } = spawnSync(process.execPath, [program, directory], { encoding: "utf8" });
    expect(signal).toBe("SIGKILL");
    expect(backupsOf(directory)).toHaveLength(1);
    // What a kill while copying leaves.
    writeFileSync(join(directory, "backups", "1-20250101T000000000Z.db.tmp"), "half");
    await expectUntouched(directory, before);
    expect(upgrade(directory, [toNext, toLast]).upgraded).toMatchObject({ from: NOW, to: NOW + 2 });
    expect(backupsOf(directory).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("when there is no room for the copy", async () => {
    const directory = await makeUsed();
    const before = contentOf(databaseOf(directory));
    const { failure } = upgrade(directory, [toNext], { freeBytes: () => 1024 * 1024 * 0.05 });
    expect(failure).toMatchObject({ code: "store_unavailable" });
    expect(String(failure)).toMatch(/need \d+\.\d MiB in .*, where 0\.1 MiB are free; nothing was changed, make room/);
    await expectUntouched(directory, before);
  });

  it("when the disk says it is full while the copy is written", async () => {
    const directory = await makeUsed();
    const { store } = await open({ directory });
    await fill(store, 10, 1_500);
    await store.close();
    const before = contentOf(databaseOf(directory));
    // The shell's bound on the size of a file stands for the full disk: SQLite meets a write that fails.
    const program = fileURLToPath(new URL("./kill-upgrade.js", import.meta.url));
    const { stdout, status } = spawnSync(
      "sh",
      ["-c", `ulimit -f 128; exec "$0" "$1" "$2"`, process.execPath, program, directory],
      {
        encoding: "utf8",
      },
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/store_unavailable: .*its backup in .* failed .*; nothing was changed/);
    expect(backupsOf(directory)).toEqual([]);
    await expectUntouched(directory, before);
  });

  it("when the copies have no place", async () => {
    const directory = await makeUsed();
    const before = contentOf(databaseOf(directory));
    writeFileSync(join(directory, "backups"), "a file");
    const { failure } = upgrade(directory, [toNext]);
    expect(failure).toMatchObject({ code: "store_unavailable" });
    expect(String(failure)).toContain("its backup in");
    expect(contentOf(databaseOf(directory))).toEqual(before);
  });
});

describe("a newer database", () => {
  it("is refused with what to do, by the upgrade and by the store, and is not touched", async () => {
    const directory = await makeUsed();
    upgrade(directory, [toNext, toLast]);
    const bytes = readFileSync(databaseOf(directory));
    const { failure } = upgrade(directory, [toNext]);
    expect(failure).toMatchObject({ code: "store_unavailable" });
    expect(String(failure)).toContain(
      `written by a newer Sallyport (schema ${NOW + 2}, this one knows ${NOW + 1}): run that version, or put`,
    );
    await expect(open({ directory })).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining(`schema ${NOW + 2}, this one knows ${NOW}`),
    });
    expect(readFileSync(databaseOf(directory)).equals(bytes)).toBe(true);
  });
});

it("steps out of order are a fault of the program", async () => {
  const directory = await makeUsed();
  expect(upgrade(directory, [toLast]).failure).toBeInstanceOf(TypeError);
});

it("the list of steps ends at the schema of new databases", () => {
  expect(migrations.length + 1).toBe(SCHEMA_VERSION);
});
