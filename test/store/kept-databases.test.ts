/** Databases that earlier programs made, one a schema: the present program opens each, and what they hold still counts. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, it } from "vitest";
import {
  checkDataDirectory,
  compileSnapshot,
  KeyDirectory,
  openDatabase,
  openLedgerReader,
  PepperFiles,
  SCHEMA_VERSION,
} from "../program-under-test.ts";
import { sallyport } from "../program/program.ts";
import { change, makeDirectory, open } from "./store-fixture.ts";

const kept = join(import.meta.dirname, "../../testdata/databases");
const versions = readdirSync(kept)
  .filter((name) => name.endsWith(".db"))
  .map((name) => Number(/^schema-(\d+)\.db$/.exec(name)?.[1]));

interface Kept {
  readonly madeAt: number;
  readonly key: string;
  readonly revoked: string;
  readonly adminKey: string;
  readonly files: Readonly<Record<string, string>>;
}

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

function unpack(version: number): { directory: string; held: Kept } {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-kept-"));
  roots.push(directory);
  const held = JSON.parse(readFileSync(join(kept, `schema-${version}.json`), "utf8")) as Kept;
  for (const [path, text] of Object.entries(held.files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, path), text, { mode: 0o600 });
  }
  const database = readFileSync(join(kept, `schema-${version}.db`));
  writeFileSync(join(directory, "sallyport.db"), database, { mode: 0o600 });
  return { directory, held };
}

function tablesOf(directory: string): unknown {
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: true });
  const tables = database.prepare("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").all();
  database.close();
  return tables;
}

it("there is one of every schema there has been", () => {
  expect(versions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: SCHEMA_VERSION }, (_, at) => at + 1));
});

it.each(versions)(
  "schema %i opens: its keys, its policy and its ledger hold, and it is written on",
  async (version) => {
    const { directory, held } = unpack(version);
    const { store } = await open({ directory });
    checkDataDirectory(directory);
    const keys = new KeyDirectory(store.reader, new PepperFiles(directory));
    expect(keys.authenticate(held.key, ["api"], held.madeAt)).toMatchObject({
      key: { name: "kept", environment: "dev" },
    });
    expect(keys.authenticate(held.revoked, ["api"], held.madeAt)).toMatchObject({ code: "key_revoked" });
    expect(keys.authenticate(held.adminKey, ["admin"], held.madeAt)).toMatchObject({ key: { name: "recovery" } });
    const snapshot = compileSnapshot(store.reader.policy());
    expect([...snapshot.environments.keys()]).toEqual(["dev", "prod"]);
    await store.change(change([]));
    await store.close();
    const ledger = openLedgerReader(directory);
    expect(await ledger.verify()).toMatchObject({ ok: true });
    ledger.close();
    expect(tablesOf(directory)).toEqual(tablesOf(makeDirectory()));
  },
);

it("commands that read leave an older database as it is; `upgrade` brings it up to date", async () => {
  const { directory } = unpack(1);
  const path = join(directory, "sallyport.db");
  const before = readFileSync(path);
  for (const words of [
    ["keys", "list"],
    ["status"],
    ["audit", "search"],
    ["audit", "verify"],
    ["doctor"],
    ["admin", "reset", "--json"],
  ]) {
    const { code, stdout, stderr } = await sallyport([...words, "--data", directory]);
    expect(code, words.join(" ")).not.toBe(0);
    expect(stdout + stderr, words.join(" ")).toContain("schema_older");
    expect(readFileSync(path).equals(before), words.join(" ")).toBe(true);
  }
  expect((await sallyport(["upgrade", "--data", directory])).stdout).toContain(`from schema 1 to ${SCHEMA_VERSION}`);
  expect((await sallyport(["upgrade", "--data", directory])).stdout).toContain("already");
  expect((await sallyport(["keys", "list", "--data", directory])).code).toBe(0);
}, 60_000);
