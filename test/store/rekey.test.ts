/** New keys for what lies sealed: everything still opens, nothing opens with the old key, and a kill anywhere is gone on from. */
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import {
  DataKeys,
  dataPaths,
  keyIdOf,
  loadSettings,
  lockDataDirectory,
  openLedgerReader,
  openSealer,
  PepperFiles,
  readKeyEncryptionKey,
  rekey,
  rotatePeppers,
  sealedFiles,
} from "../program-under-test.ts";
import type { KeyRecord, Settings } from "../program-under-test.ts";
import { change, DAY_MS, key, makeDirectory, open } from "./store-fixture.ts";

const program = fileURLToPath(new URL("./killed-at.js", import.meta.url));
const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
  delete process.env["SALLYPORT_TEST_KEK"];
});

function place(): string {
  const root = mkdtempSync(join(tmpdir(), "sallyport-rekey-"));
  roots.push(root);
  return root;
}

function settingsOf(data: string, more: Partial<Settings> = {}): Settings {
  const settings = loadSettings({ flags: { data, log: "silent" }, env: {} });
  return { ...settings, ledger: { ...settings.ledger, reserveBytes: 0 }, ...more };
}

function withPeppers(): { directory: string; peppers: Record<string, Buffer> } {
  const directory = makeDirectory();
  const files = new PepperFiles(directory);
  const peppers = Object.fromEntries(["dev", "prod", "system"].map((name) => [name, files.create(name).bytes]));
  return { directory, peppers };
}

function sealedIn(directory: string): readonly string[] {
  const texts: string[] = [];
  sealedFiles(dataPaths(directory)).each((_purpose, sealed) => texts.push(sealed));
  return texts;
}

async function events(directory: string, type: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const log = openLedgerReader(directory);
  const found = (await log.search({ order: "oldest", limit: 100, type })).map(({ fields }) => fields);
  log.close();
  return found;
}

describe("another key-encryption key", () => {
  it("seals anew what local people log in with", async () => {
    const directory = makeDirectory();
    const sealer = openSealer(directory);
    const { store } = await open({ directory, sealer });
    const sealed = sealer.seal("local-login/p_ada", Buffer.from("a hash and a secret"));
    const login = { principal: "p_ada", invitation: null, sealed, otpStep: 7, invitedAt: 1, enrolledAt: 2 };
    const invited = { ...login, principal: "p_bob", sealed: null, invitation: { hash: "00", expiresAt: 3 } };
    await store.change(
      change([
        { op: "localLogin.put", login },
        { op: "localLogin.put", login: invited },
      ]),
    );
    await store.close();
    expect(await rekey(settingsOf(directory), null, () => undefined)).toMatchObject({ records: 2 });
    const after = openSealer(directory);
    const reopened = await open({ directory, sealer: after });
    const [ada, bob] = reopened.store.reader.localLogins();
    expect(ada).toEqual({ ...login, sealed: ada!.sealed });
    expect(bob).toEqual(invited);
    expect(keyIdOf(ada!.sealed!)).toBe(after.ids[0]);
    expect(after.open("local-login/p_ada", ada!.sealed!).toString()).toBe("a hash and a secret");
  });

  it("in the same file: everything is sealed anew, opens as before, and not with the old key", async () => {
    const { directory, peppers } = withPeppers();
    const paths = dataPaths(directory);
    const before = sealedIn(directory);
    const oldKek = readKeyEncryptionKey({ kind: "file", path: paths.keyEncryptionKey });
    const oldDataKeys = readFileSync(paths.dataKeys, "utf8");
    const progress: string[] = [];
    const done = await rekey(settingsOf(directory), null, (count, total) => progress.push(`${count}/${total}`));
    expect(done).toMatchObject({ from: oldKek.id, records: 4 });
    expect(progress).toEqual(["1/4", "2/4", "3/4", "4/4"]);
    expect(done.to).not.toBe(done.from);
    expect(() => DataKeys.read(paths, oldKek)).toThrow(done.to);
    const sealer = openSealer(directory);
    expect(sealer.ids).toHaveLength(1);
    expect(oldDataKeys).not.toContain(sealer.ids[0]);
    expect(sealedIn(directory).map(keyIdOf)).toEqual(before.map(() => sealer.ids[0]));
    for (const [name, bytes] of Object.entries(peppers))
      expect(new PepperFiles(directory, sealer).current(name)?.bytes).toEqual(bytes);
    expect(await events(directory, "gateway.kek_rotated")).toEqual([
      { from: done.from, to: done.to, source: "file", records: 4 },
    ]);
    expect(existsSync(paths.rekey)).toBe(false);
  });

  it("in another place: the old file is removed, and the old settings are told what is missing", async () => {
    const { directory } = withPeppers();
    process.env["SALLYPORT_TEST_KEK"] = Buffer.alloc(32, 9).toString("base64");
    const env = { kind: "env", name: "SALLYPORT_TEST_KEK" } as const;
    const { to } = await rekey(settingsOf(directory), env, () => {});
    expect(existsSync(dataPaths(directory).keyEncryptionKey)).toBe(false);
    expect(() => openSealer(directory)).toThrow(`the key ${to} is needed`);
    expect(openSealer(directory, { source: env }).kekId).toBe(to);
    const settings = settingsOf(directory, { keyEncryptionKey: env });
    await expect(rekey(settings, null, () => {})).rejects.toMatchObject({ code: "input_invalid" });
    const file = { kind: "file", path: join(place(), "kek") } as const;
    await rekey(settings, file, () => {});
    expect(openSealer(directory, { source: file }).kekId).not.toBe(to);
  });

  it("that is the present one is refused, and so is a place that gives none", async () => {
    const { directory } = withPeppers();
    const path = join(place(), "same");
    writeFileSync(path, readFileSync(dataPaths(directory).keyEncryptionKey), { mode: 0o600 });
    const before = sealedIn(directory);
    await expect(rekey(settingsOf(directory), { kind: "file", path }, () => {})).rejects.toMatchObject({
      code: "input_invalid",
    });
    await expect(rekey(settingsOf(directory), { kind: "env", name: "NONE_SUCH" }, () => {})).rejects.toMatchObject({
      code: "store_unavailable",
    });
    expect(sealedIn(directory)).toEqual(before);
  });

  it("waits for a server to be stopped", async () => {
    const { directory } = withPeppers();
    const lock = lockDataDirectory(directory);
    await expect(rekey(settingsOf(directory), null, () => {})).rejects.toMatchObject({ code: "data_in_use" });
    lock.release();
  });

  it.each(["before", "after"])(
    "killed at any step, %s it: the server starts, and the same words end it",
    { timeout: 300_000 },
    async (when) => {
      const { directory, peppers } = withPeppers();
      const paths = dataPaths(directory);
      const old = readKeyEncryptionKey({ kind: "file", path: paths.keyEncryptionKey }).id;
      let step = 0;
      for (; ; step++) {
        const copy = join(place(), "data");
        cpSync(directory, copy, { recursive: true });
        for (const folder of [copy, "secrets", "secrets/peppers", "ledger"].map((name) =>
          join(copy, name === copy ? "" : name),
        ))
          chmodSync(folder, 0o700);
        const ended = spawnSync(process.execPath, [program, "rekey", copy, String(step), when], { encoding: "utf8" });
        expect(ended.stderr).toBe("");
        if (ended.stdout === "done") break;
        expect(ended.signal).toBe("SIGKILL");
        // As the next start finds it.
        const half = new PepperFiles(copy, openSealer(copy));
        for (const [name, bytes] of Object.entries(peppers)) expect(half.current(name)?.bytes).toEqual(bytes);
        const { store } = await open({ directory: copy });
        await store.close();
        await rekey(settingsOf(copy), null, () => {});
        const sealer = openSealer(copy);
        expect(sealer.kekId).not.toBe(old);
        expect(sealer.ids).toHaveLength(1);
        expect(sealedIn(copy).map(keyIdOf)).toEqual([1, 2, 3, 4].map(() => sealer.ids[0]));
        for (const [name, bytes] of Object.entries(peppers))
          expect(new PepperFiles(copy, sealer).current(name)?.bytes).toEqual(bytes);
        expect((await events(copy, "gateway.kek_rotated")).length).toBeGreaterThan(0);
        const left = readdirSync(join(copy, "secrets"), { recursive: true }).map(String);
        expect(left.filter((name) => /tmp|next|rekey/.test(name))).toEqual([]);
      }
      // The next key, the mark, the data keys, the key in its place, four records, the data keys, the end.
      expect(step).toBeGreaterThanOrEqual(10);
    },
  );
});

describe("peppers", () => {
  it("get a next version; older ones stay until they are let go of", () => {
    const { directory, peppers } = withPeppers();
    const files = new PepperFiles(directory);
    const next = files.rotate("dev");
    expect(next.version).toBe(2);
    expect(files.current("dev")).toEqual(next);
    expect(files.create("dev")).toEqual(next);
    expect(files.get("dev", 1)?.bytes).toEqual(peppers["dev"]);
    expect(new PepperFiles(directory).current("dev")).toEqual(next);
    expect(() => files.drop("dev", 2)).toThrow("current pepper");
    files.drop("dev", 1);
    expect(() => files.drop("dev", 1)).toThrow("no pepper version 1");
    expect(new PepperFiles(directory).versions("dev")).toEqual([2]);
    expect(() => files.rotate("nowhere")).toThrow("has no pepper");
    expect(files.rotate("dev").version).toBe(3);
  });

  it("are changed by the command, which lets go of what no living key needs, and records it", async () => {
    const { directory } = withPeppers();
    const now = Date.now();
    const { store } = await open({ directory });
    const until = (expiresAt: number): Partial<KeyRecord> => ({ secrets: [{ ...key("a").secrets[0]!, expiresAt }] });
    const living = key("a", until(now + DAY_MS));
    const dead = [
      key("b", { environment: "prod", state: "revoked", ...until(now + DAY_MS) }),
      key("c", { environment: "prod", ...until(now - 1) }),
    ];
    await store.change(change([living, ...dead].map((one) => ({ op: "key.insert", key: one }))));
    await store.close();
    expect(await rotatePeppers(settingsOf(directory), "prod")).toEqual([
      { environment: "prod", version: 2, dropped: [] },
    ]);
    const second = await rotatePeppers(settingsOf(directory), null);
    expect(second.map(({ environment, version, dropped }) => [environment, version, dropped])).toEqual([
      ["dev", 2, []],
      ["prod", 3, [1]],
      ["system", 2, []],
    ]);
    const third = await rotatePeppers(settingsOf(directory), "dev");
    expect(third).toEqual([{ environment: "dev", version: 3, dropped: [] }]);
    expect(new PepperFiles(directory).versions("dev")).toEqual([1, 2, 3]);
    expect(await events(directory, "gateway.pepper_rotated")).toHaveLength(5);
    await expect(rotatePeppers(settingsOf(directory), "nowhere")).rejects.toMatchObject({ code: "not_found" });
  });
});
