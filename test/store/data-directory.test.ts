import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import {
  checkDataDirectory,
  initDataDirectory,
  isInitialized,
  lockDataDirectory,
  openDatabase,
  openLedgerReader,
  PepperFiles,
} from "../program-under-test.ts";
import { change, fill, key, makeDirectory, open } from "./store-fixture.ts";

const mode = (path: string): number => statSync(path).mode & 0o777;

function alter(directory: string, sql: string): void {
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: false });
  database.exec(sql);
  database.close();
}

function problemOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("a data directory", () => {
  it("is made whole, closed to others, with an empty ledger that verifies", async () => {
    const directory = makeDirectory();
    expect(isInitialized(directory)).toBe(true);
    for (const path of [
      directory,
      join(directory, "secrets"),
      join(directory, "secrets", "peppers"),
      join(directory, "ledger"),
    ])
      expect(mode(path)).toBe(0o700);
    expect(mode(join(directory, "secrets", "ledger-signing.pem"))).toBe(0o600);
    expect(mode(join(directory, "sallyport.db"))).toBe(0o600);
    expect(problemOf(() => checkDataDirectory(directory))).toBeUndefined();
    expect(await openLedgerReader(directory).verify()).toMatchObject({ ok: true, records: 0 });
  });

  it("is not made twice, nor over other things, nor over what is left of an earlier one", async () => {
    const directory = makeDirectory();
    expect(problemOf(() => initDataDirectory(directory))).toMatchObject({ code: "already_exists" });
    new PepperFiles(directory).create("dev");
    rmSync(join(directory, "sallyport.db"));
    expect(problemOf(() => initDataDirectory(directory))).toMatchObject({ code: "conflict" });
    const other = mkdtempSync(join(tmpdir(), "sallyport-other-"));
    writeFileSync(join(other, "thesis.txt"), "mine");
    expect(problemOf(() => initDataDirectory(other))).toMatchObject({ code: "conflict" });
    expect(readdirSync(other)).toEqual(["thesis.txt"]);
    rmSync(other, { recursive: true });
    await expect(open({ directory: other })).rejects.toMatchObject({ code: "data_missing" });
  });

  it("is not made in another user's directory, nor through a link", () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "sallyport-elsewhere-"));
    const linked = mkdtempSync(join(tmpdir(), "sallyport-linked-"));
    symlinkSync(elsewhere, join(linked, "secrets"));
    expect(() => initDataDirectory(linked)).toThrow(/symbolic link/);
    expect(readdirSync(elsewhere)).toEqual([]);
    const foreign = mkdtempSync(join(tmpdir(), "sallyport-foreign-"));
    const getuid = process.getuid!;
    process.getuid = () => getuid.call(process) + 1;
    try {
      expect(() => initDataDirectory(foreign)).toThrow(/belongs to another user/);
    } finally {
      process.getuid = getuid;
    }
    expect(readdirSync(foreign)).toEqual([]);
  });

  it("can be made again where making it was interrupted", () => {
    const directory = makeDirectory();
    rmSync(join(directory, "sallyport.db"));
    writeFileSync(join(directory, "sallyport.db.new"), "half");
    initDataDirectory(directory);
    expect(problemOf(() => checkDataDirectory(directory))).toBeUndefined();
  });

  it("is refused with every mistake at once", () => {
    const directory = makeDirectory();
    new PepperFiles(directory).create("dev");
    chmodSync(directory, 0o755);
    chmodSync(join(directory, "secrets", "peppers", "dev.json"), 0o640);
    rmSync(join(directory, "secrets", "ledger-signing.pem"));
    rmSync(join(directory, "ledger", "public.pem"));
    mkdirSync(join(directory, "ledger", "public.pem"));
    const problem = problemOf(() => checkDataDirectory(directory));
    expect(problem).toMatchObject({ code: "store_unavailable" });
    const { mistakes } = problem as { mistakes: readonly string[] };
    expect(mistakes.map((text) => text.replace(directory, ""))).toEqual([
      ": its mode is 755, wider than 700: use chmod",
      "/secrets/ledger-signing.pem: is missing",
      "/secrets/peppers/dev.json: its mode is 640, wider than 600: use chmod",
      "/ledger/public.pem: is not a file",
    ]);
  });
});

describe("the store is refused at start", () => {
  it.each([
    ["a newer schema", (directory: string) => alter(directory, "PRAGMA user_version = 99"), "newer"],
    [
      "a file that is no database",
      (directory: string) => writeFileSync(join(directory, "sallyport.db"), "x".repeat(8_192)),
      "cannot be read",
    ],
    [
      "no signing key",
      (directory: string) => rmSync(join(directory, "secrets", "ledger-signing.pem")),
      "ledger-signing.pem",
    ],
    [
      "another public key",
      (directory: string) =>
        writeFileSync(
          join(directory, "ledger", "public.pem"),
          readFileSync(join(makeDirectory(), "ledger", "public.pem")),
        ),
      "does not belong",
    ],
    [
      "a last record that was changed",
      (directory: string) =>
        alter(directory, `UPDATE ledger SET line = replace(line, '"n":9', '"n":8') WHERE seq = 10`),
      "audit verify",
    ],
    [
      "a last record that is gone",
      (directory: string) => alter(directory, "DELETE FROM ledger WHERE seq = 10"),
      "audit verify",
    ],
    [
      "a head that was not signed",
      (directory: string) =>
        alter(directory, `UPDATE meta SET value = replace(value, '"seq":10', '"seq":9') WHERE name = 'head'`),
      "audit verify",
    ],
  ])("with %s", async (_, harm, said) => {
    const directory = makeDirectory();
    const { store } = await open({ directory });
    await fill(store, 0, 10);
    await store.close();
    harm(directory);
    await expect(open({ directory })).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining(said),
    });
  });
});

it.each([
  ["key", `UPDATE key SET limits = '{"requests":5}'`],
  ["key", `UPDATE key SET ceiling = '{"roles":[],"allow":["infer:everything"],"models":[]}'`],
  ["key", "UPDATE key SET ceiling = 'x'"],
  ["key", `UPDATE key SET limits = '{"request":{"count":1,"windowMs":1}}'`],
])("a damaged row is a fault, not a default: %s %s", async (_, sql) => {
  const directory = makeDirectory();
  const { store } = await open({ directory });
  await store.change(change([{ op: "key.insert", key: key("a") }]));
  alter(directory, sql);
  expect(problemOf(() => store.reader.key("dev", key("a").id))).toMatchObject({
    code: "record_damaged",
    message: expect.stringContaining(key("a").id),
  });
});

describe("the lock", () => {
  it("is held by one, in this process and among processes, and ends with its holder", () => {
    const directory = makeDirectory();
    const url = pathToFileURL(join(import.meta.dirname, "../../packages/sallyport/dist/store/disk/lock.js")).href;
    const tryElsewhere = (): string => {
      const script = `import { lockDataDirectory } from ${JSON.stringify(url)};
        try { lockDataDirectory(${JSON.stringify(directory)}); process.stdout.write("got it"); process.kill(process.pid, "SIGKILL"); }
        catch (error) { process.stdout.write(error.code + ": " + error.message); }`;
      return spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }).stdout;
    };
    const lock = lockDataDirectory(directory);
    expect(problemOf(() => lockDataDirectory(directory))).toMatchObject({ code: "data_in_use" });
    expect(tryElsewhere()).toContain(`data_in_use: ${directory} (process ${process.pid})`);
    lock.release();
    expect(tryElsewhere()).toBe("got it");
    // That process was killed with the lock in its hands.
    expect(existsSync(join(directory, "lock.pid"))).toBe(true);
    lockDataDirectory(directory).release();
  });
});

describe("peppers", () => {
  it("are made once, kept, and each environment's own", () => {
    const directory = makeDirectory();
    const peppers = new PepperFiles(directory);
    expect(peppers.current("dev")).toBeUndefined();
    const made = peppers.create("dev");
    expect(made.bytes).toHaveLength(32);
    expect(peppers.create("dev")).toEqual(made);
    expect(peppers.create("prod").bytes).not.toEqual(made.bytes);
    expect(mode(join(directory, "secrets", "peppers", "dev.json"))).toBe(0o600);
    const again = new PepperFiles(directory);
    expect(again.current("dev")).toEqual(made);
    expect(again.get("dev", 1)).toEqual(made);
    expect(again.get("dev", 2)).toBeUndefined();
    expect(problemOf(() => again.create("../x"))).toMatchObject({ code: "input_invalid" });
    expect(again.current("../x")).toBeUndefined();
  });

  it.each([
    ["missing", undefined],
    ["empty", ""],
    ["no JSON", "{"],
    ["without versions", `{"versions":[]}`],
    ["short", `{"versions":[{"version":1,"bytes":"AAAA"}]}`],
    ["with something more", `{"versions":[],"x":1}`],
  ])("a file that is %s is a problem, never a new pepper, and its content is not told", (_, content) => {
    const directory = makeDirectory();
    new PepperFiles(directory).create("dev");
    const path = join(directory, "secrets", "peppers", "dev.json");
    if (content === undefined) rmSync(path);
    else writeFileSync(path, content);
    const problem = problemOf(() => new PepperFiles(directory));
    expect(problem).toMatchObject({ code: "store_unavailable" });
    expect(String(problem)).not.toContain("AAAA");
  });
});
