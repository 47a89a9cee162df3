/** A backup is of one moment, holds everything and nothing in the clear; what is damaged is not restored, nor is half of it. */
import {
  backUpDirectory,
  checkDataDirectory,
  dataPaths,
  openLedgerReader,
  openSealer,
  PepperFiles,
  readArchive,
  readRestoredMark,
  restoreDirectory,
  SCHEMA_VERSION,
  Secret,
  writeArchive,
} from "../program-under-test.ts";
import type { BackupOrder } from "../program-under-test.ts";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Readable } from "node:stream";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterEach, describe, expect, it } from "vitest";
import { change, fill, key, line, makeDirectory, open, settled } from "./store-fixture.ts";

const program = fileURLToPath(new URL("./killed-at.js", import.meta.url));
const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

function place(name: string): string {
  const root = mkdtempSync(join(tmpdir(), "sallyport-backup-"));
  roots.push(root);
  return join(root, name);
}

function orderOf(directory: string, more: Partial<BackupOrder> = {}): BackupOrder {
  const clock = { now: () => 1_760_000_000_000 };
  return { directory, folder: place("backup"), to: null, isOwnKek: true, version: "0.0.0", clock, ...more };
}

/** Segments, rows, a key and peppers. */
async function filled(): Promise<string> {
  const directory = makeDirectory();
  new PepperFiles(directory).create("dev");
  const { store } = await open({ directory, segmentRecords: 100 });
  await store.change(change([{ op: "key.insert", key: key("a") }]));
  await fill(store, 0, 550, 50);
  await store.close();
  return directory;
}

async function verdict(directory: string): Promise<unknown> {
  const log = openLedgerReader(directory);
  try {
    return await log.verify();
  } finally {
    log.close();
  }
}

async function gathered(chunks: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

describe("a backup", () => {
  it("comes back whole in another folder, with modes put right and the mark on it", async () => {
    const directory = await filled();
    const { path, manifest, hasKek } = await backUpDirectory(orderOf(directory));
    expect([path.endsWith("sallyport.tar"), hasKek, statSync(path).mode & 0o777]).toEqual([true, false, 0o600]);
    expect(readdirSync(dataPaths(directory).backups)).toEqual([]);
    expect(manifest.files.filter(({ name }) => name.endsWith(".jsonl")).length).toBeGreaterThan(2);
    const copy = place("data");
    mkdirSync(copy, { mode: 0o755 });
    await restoreDirectory({ from: join(path, ".."), directory: copy, identity: null });
    expect(readdirSync(copy).toSorted()).toEqual(["ledger", "restored.json", "sallyport.db", "secrets"]);
    checkDataDirectory(copy);
    expect(readRestoredMark(dataPaths(copy))).toMatchObject({ seq: manifest.head.seq, isRecorded: false });
    expect(() => openSealer(copy)).toThrow(`the key ${manifest.kek} is needed`);
    cpSync(dataPaths(directory).keyEncryptionKey, dataPaths(copy).keyEncryptionKey);
    expect(await verdict(copy)).toMatchObject({ ok: true, records: 551 });
    const { store } = await open({ directory: copy });
    expect(store.reader.key("dev", key("a").id)).toMatchObject({ name: "key a" });
    expect(new PepperFiles(copy).current("dev")).toEqual(new PepperFiles(directory).current("dev"));
  });

  it("is of one moment, also while records are written, rotated and let go of", { timeout: 120_000 }, async () => {
    const directory = makeDirectory();
    const ledger = {
      retentionDays: 3_650,
      retentionBytes: 64 * 1024,
      reserveBytes: 0,
      requestDays: 3_650,
      personalDays: 3_650,
      securityPersonalDays: 3_650,
    };
    const { store } = await open({ directory, segmentRecords: 50, ledger });
    let isWriting = true;
    const writing = (async () => {
      for (let n = 0; isWriting; n += 40) {
        let ticket: number | undefined;
        for (let i = 0; i < 40; i++) ticket = store.append(line(n + i));
        if (!(await settled(store, ticket))) throw new Error("a line was refused");
      }
    })();
    let last = 0;
    for (let round = 0; round < 12; round++) {
      const { path, manifest } = await backUpDirectory(orderOf(directory));
      const copy = place("data");
      await restoreDirectory({ from: join(path, ".."), directory: copy, identity: null });
      expect([round, await verdict(copy)]).toEqual([round, expect.objectContaining({ ok: true })]);
      expect(manifest.head.seq).toBeGreaterThanOrEqual(last);
      last = manifest.head.seq;
    }
    isWriting = false;
    await writing;
    expect(last).toBeGreaterThan(200);
  });

  it("sealed to a key shows nothing, brings the key-encryption key along, and opens for its owner only", async () => {
    const directory = await filled();
    const mine = await generateX25519Identity();
    const to = { publicKeys: [await identityToRecipient(mine)] };
    const { path, hasKek } = await backUpDirectory(orderOf(directory, { to }));
    expect(hasKek).toBe(true);
    const bytes = readFileSync(path);
    for (const clear of ["SQLite", "ustar", "manifest", "PUBLIC KEY", "key a"])
      expect(bytes.includes(clear)).toBe(false);
    const copy = place("data");
    const from = join(path, "..");
    const other = { privateKeys: new Secret(await generateX25519Identity()) };
    await expect(restoreDirectory({ from, directory: copy, identity: other })).rejects.toMatchObject({
      code: "input_invalid",
    });
    await expect(restoreDirectory({ from, directory: copy, identity: null })).rejects.toMatchObject({
      code: "input_invalid",
    });
    expect(existsSync(copy)).toBe(false);
    const identity = { privateKeys: new Secret(`# created: today\n${mine}\n`) };
    await restoreDirectory({ from, directory: copy, identity });
    expect(new PepperFiles(copy).current("dev")).toEqual(new PepperFiles(directory).current("dev"));
  });

  it("under a passphrase opens with that one, and takes no short one", { timeout: 120_000 }, async () => {
    const directory = await filled();
    const to = { passphrase: new Secret("four words of mine") };
    const { path } = await backUpDirectory(orderOf(directory, { to }));
    const copy = place("data");
    const from = join(path, "..");
    const wrong = { passphrase: new Secret("four words of thine") };
    await expect(restoreDirectory({ from, directory: copy, identity: wrong })).rejects.toMatchObject({
      code: "input_invalid",
    });
    await restoreDirectory({ from, directory: copy, identity: to });
    checkDataDirectory(copy);
    for (const bad of [{ passphrase: new Secret("short") }, { publicKeys: ["age1nonsense"] }])
      await expect(backUpDirectory(orderOf(directory, { to: bad }))).rejects.toMatchObject({ code: "input_invalid" });
  });

  it("is not made into a folder that holds something, nor while keys are being changed", async () => {
    const directory = await filled();
    const folder = place("full");
    mkdirSync(folder);
    writeFileSync(join(folder, "x"), "mine");
    await expect(backUpDirectory(orderOf(directory, { folder }))).rejects.toMatchObject({ code: "conflict" });
    writeFileSync(dataPaths(directory).rekey, '{"from":"a","to":"b"}', { mode: 0o600 });
    const order = orderOf(directory);
    await expect(backUpDirectory(order)).rejects.toMatchObject({ code: "conflict" });
    expect(readdirSync(order.folder)).toEqual([]);
    expect(readdirSync(dataPaths(directory).backups)).toEqual([]);
  });
});

describe("a backup that is not whole is refused, and nothing is left of it", () => {
  /** Bytes of the archive, harmed, in a folder of their own. */
  async function harmed(harm: (archive: Buffer) => Buffer, to: BackupOrder["to"] = null): Promise<string> {
    const { path } = await backUpDirectory(orderOf(await filled(), { to }));
    writeFileSync(path, harm(readFileSync(path)));
    return join(path, "..");
  }

  function replaced(archive: Buffer, from: string, to: string): Buffer {
    const at = archive.indexOf(from);
    expect(at).toBeGreaterThan(0);
    return Buffer.concat([archive.subarray(0, at), Buffer.from(to), archive.subarray(at + from.length)]);
  }

  it.each<[string, (archive: Buffer) => Buffer]>([
    ["a byte of the database", (archive) => ((archive[3_000]! ^= 1), archive)],
    ["a record", (archive) => replaced(archive, '"n":123', '"n":124')],
    ["the manifest's sum", (archive) => replaced(archive, '"sha256": "', '"sha256": "0')],
    ["the manifest's form", (archive) => replaced(archive, "sallyport backup 1", "sallyport backup 2")],
    ["a newer schema", (archive) => replaced(archive, `"schema": ${SCHEMA_VERSION}`, '"schema":99')],
    ["its end", (archive) => archive.subarray(0, archive.length - 5_000)],
    ["everything", () => Buffer.alloc(0)],
  ])("%s", async (_, harm) => {
    const from = await harmed(harm);
    const directory = place("data");
    await expect(restoreDirectory({ from, directory, identity: null })).rejects.toMatchObject({
      code: "input_invalid",
    });
    expect(existsSync(directory)).toBe(false);
    mkdirSync(directory);
    await expect(restoreDirectory({ from, directory, identity: null })).rejects.toMatchObject({
      code: "input_invalid",
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  interface File {
    readonly name: string;
    readonly content: Buffer;
  }

  /** A well-formed archive of other files: its sums are right. */
  async function repacked(archive: Buffer, change: (files: readonly File[]) => readonly File[]): Promise<Buffer> {
    const files: File[] = [];
    for await (const { name, content } of readArchive(Readable.from([archive])))
      files.push({ name, content: Buffer.concat(await gathered(content)) });
    const entries = Readable.from(
      change(files).map(({ name, content }) => ({ name, bytes: content.length, content: Readable.from([content]) })),
    );
    return Buffer.concat(await gathered(writeArchive(entries)));
  }

  function inManifest(files: readonly File[], change: (text: string) => string): readonly File[] {
    return files.map((file) =>
      file.name === "manifest.json" ? { ...file, content: Buffer.from(change(file.content.toString())) } : file,
    );
  }

  it.each<[string, (files: readonly File[]) => readonly File[]]>([
    ["a name that climbs out of the restore", (files) => added(files, "../planted")],
    ["a name that climbs out of the directory", (files) => added(files, "../../planted")],
    ["a name of its folder that climbs", (files) => added(files, "secrets/../../planted")],
    ["a name nobody knows", (files) => added(files, "secrets/authorized_keys")],
    ["an environment that is none", (files) => added(files, "secrets/peppers/Dev.json")],
    ["a file twice", (files) => [files[0]!, ...files]],
    ["a file behind the manifest", (files) => [...files, { name: "secrets/kek", content: Buffer.alloc(32) }]],
    ["a file nobody lists", (files) => [{ name: "secrets/kek", content: Buffer.alloc(32) }, ...files]],
    ["no signing key", (files) => dropped(files, "secrets/ledger-signing.pem")],
    ["no manifest", (files) => files.slice(0, -1)],
    ["two manifests", (files) => [...files, files.at(-1)!]],
  ])("one made by hand: %s", async (_, change) => {
    const { path } = await backUpDirectory(orderOf(await filled()));
    const archive = readFileSync(path);
    const same = await repacked(archive, (files) => files);
    expect(same.equals(archive)).toBe(true);
    // An archive made the same way with a name that is known is taken: it is the change that is refused.
    writeFileSync(path, await repacked(archive, (files) => added(files, "secrets/peppers/other.json")));
    await restoreDirectory({ from: join(path, ".."), directory: place("control"), identity: null });
    writeFileSync(path, await repacked(archive, change));
    const directory = place("data");
    const from = join(path, "..");
    await expect(restoreDirectory({ from, directory, identity: null })).rejects.toMatchObject({
      code: "input_invalid",
    });
    expect(readdirSync(join(directory, ".."))).toEqual([]);
  });

  /** One file more, which its manifest lists: nothing but the name is wrong with it. */
  function added(files: readonly File[], name: string): readonly File[] {
    const content = Buffer.from("planted");
    const sha256 = createHash("sha256").update(content).digest("hex");
    return inManifest([...files.slice(0, -1), { name, content }, ...files.slice(-1)], (text) => {
      const manifest = JSON.parse(text) as { files: object[] };
      return JSON.stringify({ ...manifest, files: [...manifest.files, { name, bytes: content.length, sha256 }] });
    });
  }

  function dropped(files: readonly File[], name: string): readonly File[] {
    const kept = files.filter((file) => file.name !== name);
    return inManifest(kept, (text) => {
      const manifest = JSON.parse(text) as { files: { name: string }[] };
      return JSON.stringify({ ...manifest, files: manifest.files.filter((file) => file.name !== name) });
    });
  }

  it("a byte of a sealed one, wherever it is", { timeout: 120_000 }, async () => {
    const mine = await generateX25519Identity();
    const identity = { privateKeys: new Secret(mine) };
    for (const share of [0.0001, 0.002, 0.5, 0.9999]) {
      const to = { publicKeys: [await identityToRecipient(mine)] };
      const from = await harmed((archive) => ((archive[Math.floor(archive.length * share)]! ^= 1), archive), to);
      const directory = place("data");
      await expect(restoreDirectory({ from, directory, identity })).rejects.toMatchObject({ code: "input_invalid" });
      expect(existsSync(directory)).toBe(false);
    }
  });
});

describe("a restore", () => {
  it("goes into an empty directory only", async () => {
    const { path } = await backUpDirectory(orderOf(await filled()));
    const from = join(path, "..");
    const taken = makeDirectory();
    const before = readdirSync(taken);
    await expect(restoreDirectory({ from, directory: taken, identity: null })).rejects.toMatchObject({
      code: "conflict",
    });
    expect(readdirSync(taken)).toEqual(before);
    const other = place("other");
    mkdirSync(other);
    writeFileSync(join(other, "thesis.txt"), "mine");
    await expect(restoreDirectory({ from, directory: other, identity: null })).rejects.toMatchObject({
      code: "conflict",
    });
    expect(readdirSync(other)).toEqual(["thesis.txt"]);
    await expect(restoreDirectory({ from: other, directory: place("x"), identity: null })).rejects.toMatchObject({
      code: "not_found",
    });
  });

  it.each(["before", "after"])(
    "killed at any step, %s it, is no data directory without the mark, and can be begun again",
    { timeout: 120_000 },
    async (when) => {
      const { path } = await backUpDirectory(orderOf(await filled()));
      const from = join(path, "..");
      let step = 0;
      for (; ; step++) {
        const directory = place("data");
        const ended = spawnSync(process.execPath, [program, "restore", directory, String(step), when, from], {
          encoding: "utf8",
        });
        expect(ended.stderr).toBe("");
        if (ended.stdout === "done") break;
        expect(ended.signal).toBe("SIGKILL");
        const paths = dataPaths(directory);
        if (existsSync(paths.database)) {
          chmodSync(directory, 0o700);
          checkDataDirectory(directory);
        } else await restoreDirectory({ from, directory, identity: null });
        expect(readRestoredMark(paths)).toBeDefined();
        expect(await verdict(directory)).toMatchObject({ ok: true });
      }
      expect(step).toBeGreaterThanOrEqual(4);
    },
  );

  it("works as another user, who owns what is restored", async ({ skip }) => {
    if (process.getuid?.() !== 0) skip("only root can become another user");
    const nobody = { uid: 65_534, gid: 65_534 };
    const probe = spawnSync(process.execPath, ["--check", program], nobody);
    if (probe.status !== 0) skip("the checkout cannot be read by another user");
    const { path } = await backUpDirectory(orderOf(await filled()));
    const from = place("copied");
    cpSync(join(path, ".."), from, { recursive: true });
    const home = place("home");
    mkdirSync(home, { mode: 0o777 });
    for (const folder of [from, join(from, ".."), home, join(home, "..")]) chmodSync(folder, 0o777);
    for (const name of readdirSync(from)) chmodSync(join(from, name), 0o444);
    const directory = join(home, "data");
    const ended = spawnSync(process.execPath, [program, "restore", directory, "999", "after", from], {
      encoding: "utf8",
      ...nobody,
    });
    expect([ended.stdout, ended.stderr]).toEqual(["done", ""]);
    for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
      const found = statSync(join(entry.parentPath, entry.name));
      const mode = entry.isDirectory() ? 0o700 : entry.name === "public.pem" ? 0o644 : 0o600;
      expect([entry.name, found.uid, found.mode & 0o777]).toEqual([entry.name, 65_534, mode]);
    }
    checkDataDirectory(directory);
  });
});
