/** A data directory in which an older program let callers' texts become the names of logs, and its repair. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { sallyport, sallyportJson, serve } from "./program.ts";

const kept = JSON.parse(readFileSync("testdata/damaged/stray-logs.json", "utf8")) as {
  readonly files: Readonly<Record<string, string>>;
};

interface Repaired {
  readonly ok: boolean;
  readonly records: number;
  readonly removed: readonly { readonly log: string; readonly records: number; readonly root: string }[];
  readonly rebuilt: readonly { readonly log: string; readonly records: number }[];
}

let root: string;
let data: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sallyport-stray-"));
  const made = root;
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  data = join(root, "data");
  for (const [name, text] of Object.entries(kept.files)) {
    const path = join(data, name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, gunzipSync(Buffer.from(text, "base64")), { mode: name.endsWith("public.pem") ? 0o644 : 0o600 });
  }
});

const REPAIR = "sallyport audit repair";

describe("a directory with logs that no environment can have", () => {
  it("is refused by every command that opens it, in words that name the repair", async () => {
    const older = await sallyport(["keys", "list", "--data", data]);
    expect([older.code, older.stderr]).toEqual([expect.any(Number), expect.stringContaining("sallyport upgrade")]);
    for (const words of [
      ["upgrade"],
      ["keys", "list"],
      ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"],
    ]) {
      const { code, stderr } = await sallyport([...words, "--data", data]);
      expect([words, code]).toEqual([words, 3]);
      expect(stderr).toContain(REPAIR);
    }
    const { code, stdout } = await sallyport(["audit", "verify", "--data", data]);
    expect(code).toBe(1);
    expect(stdout).toContain(REPAIR);
  });

  it("is exported without leaving the folder it is exported to", async () => {
    const out = join(root, "deep", "er", "out");
    mkdirSync(dirname(out), { recursive: true });
    // Of an older schema it is not exported at all; whatever is written lies in the folder.
    await sallyport(["audit", "export", "--data", data, "--out", out]);
    if (existsSync(out)) expect(readdirSync(out).toSorted()).toEqual(["dev", "manifest", "system"]);
    expect(readdirSync(root).toSorted()).toEqual(["data", "deep"]);
    expect(readdirSync(join(root, "deep"))).toEqual(["er"]);
    expect(readdirSync(join(root, "deep", "er")).filter((name) => name !== "out")).toEqual([]);
  });

  it("is repaired by an act in the ledger, and then everything works", async () => {
    const repaired = await sallyportJson<Repaired>(["audit", "repair", "--data", data]);
    expect(repaired).toMatchObject({ ok: true, rebuilt: [] });
    expect(
      repaired.removed
        .filter(({ records }) => records > 0)
        .map(({ log }) => log)
        .toSorted(),
    ).toEqual(["../../evil", "1abc", "A B", 'A"B'].toSorted());
    const again = await sallyportJson<Repaired>(["audit", "repair", "--data", data]);
    expect(again).toEqual({ ok: true, records: repaired.records, removed: [], rebuilt: [] });

    await sallyportJson(["keys", "list", "--data", data]);
    const served = await serve(data);
    served.child.kill();
    await served.ended;
    const found = await sallyportJson<{ records: { type: string; fields: { log: string } }[] }>([
      "audit",
      "search",
      "--type",
      "ledger.log_removed",
      "--data",
      data,
    ]);
    expect(found.records.map(({ fields }) => fields.log)).toContain("A B");
    expect(await sallyportJson(["audit", "verify", "--data", data])).toMatchObject({ ok: true });

    const out = join(root, "out");
    await sallyportJson(["audit", "export", "--data", data, "--out", out]);
    expect(await sallyportJson(["audit", "verify", out])).toMatchObject({ ok: true });
    const restored = join(root, "restored");
    await sallyportJson(["backup", join(root, "backup"), "--plain", "--data", data]);
    await sallyportJson(["restore", join(root, "backup"), "--data", restored]);
    writeFileSync(join(restored, "secrets", "kek"), readFileSync(join(data, "secrets", "kek")), { mode: 0o600 });
    expect(await sallyportJson(["audit", "verify", "--data", restored])).toMatchObject({ ok: true });
    await sallyportJson(["keys", "list", "--data", restored]);
    expect(existsSync(join(root, "evil"))).toBe(false);
  });
});

it("a filter that names no environment is an error with the names there are, and leaves no trace in the names of logs", async () => {
  const fresh = join(root, "fresh");
  await sallyportJson(["init", "--data", fresh]);
  const [own] = (await sallyportJson<{ keys: { key: string }[] }>(["audit", "keys", "--data", fresh])).keys;
  const search = ["search"];
  for (const [words, name] of [
    ...["A B", "../../evil", 'A"B', "DEV", "x".repeat(200)].map((hostile) => [search, hostile] as const),
    ...[
      ["tail"],
      ["export", "--out", join(root, "none")],
      ["cosign", "--witness", "http://127.0.0.1:1", "--witness-key", own!.key],
    ].map((other) => [other, "ghost"] as const),
  ]) {
    const { code, stderr } = await sallyport(["audit", ...words, "--env", name, "--data", fresh]);
    expect([name, words[0], code, stderr]).toEqual([name, words[0], 2, expect.stringMatching(/known: .*dev/)]);
  }
  const { keys } = await sallyportJson<{ keys: { name: string }[] }>(["audit", "keys", "--data", fresh]);
  expect(keys.map(({ name }) => name.split("/")[2] ?? "node").toSorted()).toEqual(["node", "system"]);
  await sallyportJson(["keys", "list", "--data", fresh]);
});
