/** A plain backup that somebody edited: rights that nobody granted, and revocations that are undone, are refused by name. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase, readArchive, writeArchive } from "../program-under-test.ts";
import { sallyport, sallyportJson } from "./program.ts";

let root: string;
let data: string;
let viewer: string;
let revoked: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "sallyport-edited-"));
  data = join(root, "data");
  await sallyportJson(["init", "--data", data]);
  const made = await sallyportJson<{ id: string }>([
    "admin",
    "keys",
    "create",
    "--name",
    "viewer",
    "--role",
    "viewer",
    "--env",
    "dev",
    "--data",
    data,
  ]);
  viewer = made.id;
  const key = await sallyportJson<{ id: string }>([
    "keys",
    "create",
    "--env",
    "dev",
    "--name",
    "gone",
    "--role",
    "cli",
    "--model",
    "llama3.2",
    "--data",
    data,
  ]);
  revoked = key.id;
  await sallyportJson(["keys", "revoke", revoked, "--data", data]);
  await sallyportJson(["backup", join(root, "backup"), "--plain", "--data", data]);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What whoever holds the archive can do: the database edited, and the manifest made to fit. */
async function edit(name: string, sql: string, more: { name: string; content: Buffer }[] = []): Promise<string> {
  const folder = join(root, name);
  mkdirSync(folder);
  const files: { name: string; content: Buffer }[] = [];
  let manifest: { files: object[] } | undefined;
  for await (const entry of readArchive(createReadStream(join(root, "backup", "sallyport.tar")))) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry.content) chunks.push(chunk);
    let content = Buffer.concat(chunks);
    if (entry.name === "manifest.json") {
      manifest = JSON.parse(content.toString()) as { files: object[] };
      continue;
    }
    if (entry.name === "sallyport.db") {
      const path = join(folder, "edited.db");
      writeFileSync(path, content);
      const database = openDatabase(path, { isReadOnly: false });
      database.exec(sql);
      database.close();
      content = readFileSync(path);
      rmSync(path);
    }
    files.push({ name: entry.name, content });
  }
  files.push(...more);
  const listed = files.map(({ name: file, content }) => ({
    name: file,
    bytes: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  }));
  const text = Buffer.from(`${JSON.stringify({ ...manifest, files: listed }, null, 2)}\n`);
  const all = [...files, { name: "manifest.json", content: text }];
  const entries = all.map(({ name: file, content }) => ({
    name: file,
    bytes: content.length,
    content: Readable.from([content]),
  }));
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeArchive(Readable.from(entries) as never)) chunks.push(chunk as Uint8Array);
  writeFileSync(join(folder, "sallyport.tar"), Buffer.concat(chunks));
  return folder;
}

const ALL = `(SELECT admin FROM key WHERE name = 'recovery')`;

describe.each([
  [
    "a viewer's key that may do everything",
    (): string => `UPDATE key SET admin = ${ALL} WHERE id = '${viewer}'`,
    (): string => `table key, row system/${viewer}`,
  ],
  [
    "a revocation undone",
    (): string => `UPDATE key SET state = 'active', reason = NULL WHERE id = '${revoked}'`,
    (): string => `table key, row dev/${revoked}`,
  ],
  [
    "a wider environment",
    (): string => "UPDATE environment SET cloud = 'allow'",
    (): string => "table environment, row dev",
  ],
])("a backup with %s", (name, sql, place) => {
  it("is refused by a restore that has the key-encryption key, and by the first start of one that has not", async () => {
    const folder = await edit(name.replaceAll(" ", "-").replaceAll("'", ""), sql());
    const to = join(folder, "data");
    const kek = join(data, "secrets", "kek");
    const early = await sallyport(["restore", folder, "--data", to], { SALLYPORT_KEY_ENCRYPTION_KEY: `file:${kek}` });
    expect(early.code).not.toBe(0);
    expect(early.stderr).toContain(place());
    expect(existsSync(join(to, "sallyport.db"))).toBe(false);

    const late = await sallyport(["restore", folder, "--data", to]);
    expect(late.code).toBe(0);
    expect(late.stderr).toContain("verified at the first start");
    writeFileSync(join(to, "secrets", "kek"), readFileSync(kek), { mode: 0o600 });
    for (const words of [
      ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"],
      ["keys", "list"],
      ["admin", "reset"],
    ]) {
      const { code, stderr } = await sallyport([...words, "--data", to, ...(words[0] === "admin" ? ["--json"] : [])]);
      expect([words[0], code]).toEqual([words[0], 3]);
      expect(stderr).toContain(place());
    }
    const verdict = await sallyport(["audit", "verify", "--state", "--data", to, "--json"]);
    expect(verdict.code).toBe(1);
    const read = JSON.parse(verdict.stdout) as { firstDifference: { table: string; id: string } };
    expect(Object.keys(read)).toEqual(["ok", "rows", "firstDifference"]);
    expect(`table ${read.firstDifference.table}, row ${read.firstDifference.id}`).toBe(place());
  });
});

it("a backup that nobody edited is restored, and its state verified", async () => {
  const to = join(root, "whole");
  const env = { SALLYPORT_KEY_ENCRYPTION_KEY: `file:${join(data, "secrets", "kek")}` };
  expect(await sallyportJson(["restore", join(root, "backup"), "--data", to], env)).toMatchObject({
    isStateVerified: true,
  });
  expect(await sallyportJson(["audit", "verify", "--state", "--data", to], env)).toEqual({
    ok: true,
    rows: expect.any(Number),
  });
});

it("a plain backup that brings a key-encryption key of its own is refused", async () => {
  const kek = { name: "secrets/kek", content: readFileSync(join(data, "secrets", "kek")) };
  const folder = await edit("own-kek", "", [kek]);
  const { code, stderr } = await sallyport(["restore", folder, "--data", join(folder, "data")]);
  expect(code).not.toBe(0);
  expect(stderr).toContain("key-encryption key");
});
