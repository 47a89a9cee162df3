/** Files that somebody else made, read by a verifier: refused at once, whatever they are made of. */
import { ftruncateSync, mkdirSync, openSync, closeSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import {
  formatCheckpoint,
  formatExportManifest,
  formatSignedNote,
  formatVerifierKey,
  linesOf,
  LINE_BYTES_MAX,
  logOrigin,
  noPins,
} from "@sallyport/ledger";
import type { ExportFormat } from "@sallyport/ledger";
import type { EnvironmentName } from "@sallyport/protocol";
import { deriveNoteSigner, nodeName, openDatabase, verifyPath } from "../program-under-test.ts";
import { generateKeyPairSync } from "node:crypto";
import { open } from "../store/store-fixture.ts";
import { makeFolder, write } from "./ledger-fixture.ts";

const HUGE = 300 * 1024 * 1024;
const DEV = "dev" as EnvironmentName;
let folder: string;
beforeEach(() => {
  folder = makeFolder((end) => onTestFinished(end));
});

/** A file of one line without end, that takes no room on the disk. */
function huge(path: string, start = ""): string {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "w");
  writeSync(file, start);
  ftruncateSync(file, HUGE);
  closeSync(file);
  return path;
}

const signer = deriveNoteSigner(generateKeyPairSync("ed25519").privateKey, nodeName("n"), 1);

/** An export that says of itself what it likes, signed by a key of its own. */
function manifest(format: ExportFormat, paths: readonly string[], size = 0): string {
  const origin = logOrigin("n", DEV);
  const text = formatCheckpoint({ origin, size, root: "0".repeat(64) });
  const checkpoint = formatSignedNote({ text, signatures: [signer.sign(text)] });
  const said = formatExportManifest({
    node: "n",
    key: formatVerifierKey(signer.verifier),
    format,
    at: 1,
    head: { seq: 1, hash: "0".repeat(64) },
    from: 1,
    logs:
      format === "tiles"
        ? [{ environment: DEV, base: { size: 0, peaks: [] }, firstKey: formatVerifierKey(signer.verifier), checkpoint }]
        : [],
    files: paths.map((path) => ({ path, bytes: HUGE, sha256: "0".repeat(64) })),
  });
  if (format === "tiles") {
    mkdirSync(join(folder, "x", "dev"), { recursive: true });
    writeFileSync(join(folder, "x", "dev", "checkpoint"), checkpoint);
    writeFileSync(join(folder, "x", "manifest"), formatSignedNote({ text: said, signatures: [signer.sign(said)] }));
    return join(folder, "x");
  }
  writeFileSync(join(folder, "x.manifest"), formatSignedNote({ text: said, signatures: [signer.sign(said)] }));
  return join(folder, "x");
}

/** Verified in little memory. */
async function verdictOf(path: string) {
  const before = process.resourceUsage().maxRSS;
  const verdict = await verifyPath(path, noPins);
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(200 * 1024);
  return verdict;
}

describe("a line of 300 MB", () => {
  it.each(["jsonl", "ocsf"] as const)("in an export in %s", async (format) => {
    huge(manifest(format, ["x"]));
    expect(await verdictOf(join(folder, "x"))).toMatchObject({ ok: false });
  });

  it("in a proof, a manifest, and a file of neither kind", async () => {
    expect(await verdictOf(huge(join(folder, "p"), "c2sp.org/tlog-proof@v1\n"))).toMatchObject({ ok: false });
    huge(join(folder, "q.manifest"));
    expect(await verdictOf(huge(join(folder, "q")))).toMatchObject({ ok: false });
    expect(await verdictOf(huge(join(folder, "r")))).toMatchObject({ ok: false });
  });

  it("in a checkpoint, a bundle and what stands beside it", async () => {
    const path = manifest("tiles", ["dev/checkpoint", "dev/tile/entries/000.p/1", "dev/beside"], 1);
    huge(join(path, "dev/tile/entries/000.p/1"));
    huge(join(path, "dev/beside"));
    expect(await verdictOf(path)).toMatchObject({ ok: false });
    huge(join(path, "dev/checkpoint"));
    expect(await verdictOf(path)).toMatchObject({ ok: false });
  });

  it("in a segment and in the table of a data directory", async () => {
    const { store, directory } = await open({ segmentRecords: 50 });
    await write(store, 1, 60);
    await store.close();
    const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: false });
    database.exec("UPDATE ledger SET line = CAST(zeroblob(100000000) AS TEXT) WHERE seq = 55");
    database.close();
    expect(await verdictOf(directory)).toMatchObject({ ok: false, firstDamage: { seq: 55 } });
    huge(join(directory, "ledger", "0000000000000001.jsonl"));
    expect(await verdictOf(directory)).toMatchObject({ ok: false, firstDamage: { seq: 1 } });
  });
});

describe("what is no line but costs", () => {
  it("a log of ten million records that are not there ends at the first", async () => {
    const path = manifest("tiles", ["dev/checkpoint"], 1e7);
    expect(await verdictOf(path)).toMatchObject({
      ok: false,
      firstDamage: { reason: expect.stringContaining("bundle") },
    });
  });

  it.each([
    ["nested", "[".repeat(400_000) + "]".repeat(400_000)],
    ["nested in a record", `{"seq":1,"fields":${"[".repeat(200_000)}${"]".repeat(200_000)}}`],
    ["nested in salts", `{"seq":1,"salts":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`],
    ["of one member many times", `{${'"a":1,'.repeat(100_000)}"a":1}`],
    ["of many numbers", `{"seq":${"9".repeat(500_000)}}`],
  ])("a line that is %s is no record", async (_name, line) => {
    manifest("jsonl", ["x"]);
    writeFileSync(join(folder, "x"), `${line}\n`);
    expect(await verdictOf(join(folder, "x"))).toMatchObject({ ok: false, firstDamage: { seq: 1 } });
  });
});

describe("lines of a file that comes in parts", () => {
  const parts = (...texts: string[]): Uint8Array[] => texts.map((text) => new TextEncoder().encode(text));

  it("are the same however it is cut", () => {
    const text = "one\n\ntwo\nthree";
    for (let cut = 0; cut <= text.length; cut++)
      expect([...linesOf(parts(text.slice(0, cut), text.slice(cut)))]).toEqual(["one", "", "two", "three"]);
  });

  it("end with one that is too long, and no more is read", () => {
    let read = 0;
    function* endless(): Generator<Uint8Array> {
      for (;;) {
        read++;
        yield new Uint8Array(64 * 1024).fill(120);
      }
    }
    expect([...linesOf(endless())]).toEqual([undefined]);
    expect(read).toBe(LINE_BYTES_MAX / (64 * 1024) + 1);
  });
});
