/** Secrets lie sealed: an older directory is sealed at its next start, wherever that is killed; a wrong key opens nothing. */
import { spawnSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
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
import { afterEach, describe, expect, it } from "vitest";
import {
  dataPaths,
  generateSigningKey,
  initDataDirectory,
  openSealer,
  pepperFile,
  PepperFiles,
  readSecretFile,
  signingKeyFile,
} from "../program-under-test.ts";
import { makeDirectory, open } from "./store-fixture.ts";

const program = fileURLToPath(new URL("./killed-at.js", import.meta.url));
const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
  delete process.env["SALLYPORT_TEST_KEK"];
});

function place(): string {
  const root = mkdtempSync(join(tmpdir(), "sallyport-seal-"));
  roots.push(root);
  return root;
}

function problemOf(work: () => unknown): { readonly code?: string; readonly message?: string } {
  try {
    work();
  } catch (error) {
    return error as { code: string; message: string };
  }
  return {};
}

/** A directory as an older program left it: everything in the clear. */
function clearDirectory(): { directory: string; peppers: Record<string, Buffer>; pem: string } {
  const directory = makeDirectory();
  const paths = dataPaths(directory);
  const files = new PepperFiles(directory);
  const peppers = Object.fromEntries(["dev", "prod", "system"].map((name) => [name, files.create(name).bytes]));
  const sealer = openSealer(directory);
  const pem = readSecretFile(sealer, signingKeyFile(paths)).toString();
  for (const name of Object.keys(peppers)) {
    const file = pepperFile(paths, name);
    writeFileSync(file.path, readSecretFile(sealer, file));
  }
  writeFileSync(paths.signingKey, pem);
  rmSync(paths.dataKeys);
  rmSync(paths.keyEncryptionKey);
  return { directory, peppers, pem };
}

function secretsText(directory: string): string {
  const { secrets } = dataPaths(directory);
  return readdirSync(secrets, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name !== "kek")
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

/** Every twenty-four characters of it in a row, as they may stand in a file. */
function tracesOf(bytes: Buffer): readonly string[] {
  return [bytes.toString("latin1"), bytes.toString("base64").slice(0, 40), bytes.toString("hex")];
}

describe("a new directory", () => {
  it("has its secrets sealed from the beginning, under a key of its own that nobody else can read", async () => {
    const directory = makeDirectory();
    const paths = dataPaths(directory);
    const pepper = new PepperFiles(directory).create("dev");
    expect(statSync(paths.keyEncryptionKey).mode & 0o777).toBe(0o600);
    expect(Buffer.from(readFileSync(paths.keyEncryptionKey, "utf8").trim(), "base64")).toHaveLength(32);
    const text = secretsText(directory);
    expect(text).not.toContain("PRIVATE KEY");
    for (const trace of tracesOf(pepper.bytes)) expect(text).not.toContain(trace);
    await open({ directory });
    expect(new PepperFiles(directory).current("dev")).toEqual(pepper);
  });
});

describe("an older directory in the clear", () => {
  it("is sealed at its next start, and works as before", async () => {
    const { directory, peppers, pem } = clearDirectory();
    const said: string[] = [];
    openSealer(directory, { onNotice: (text) => said.push(text) });
    expect(said).toEqual([expect.stringContaining("4 plaintext secrets are now encrypted")]);
    const text = secretsText(directory);
    for (const bytes of Object.values(peppers)) for (const trace of tracesOf(bytes)) expect(text).not.toContain(trace);
    expect(text).not.toContain(pem.split("\n")[1]);
    for (const [name, bytes] of Object.entries(peppers))
      expect(new PepperFiles(directory).current(name)?.bytes).toEqual(bytes);
    await open({ directory });
    openSealer(directory, { onNotice: (text) => said.push(text) });
    expect(said).toHaveLength(1);
  });

  it.each(["before", "after"])(
    "killed at any step, %s it, it is sealed by the next start",
    { timeout: 120_000 },
    (when) => {
      const { directory, peppers, pem } = clearDirectory();
      let step = 0;
      for (; ; step++) {
        const copy = join(place(), "data");
        cpSync(directory, copy, { recursive: true });
        for (const folder of [copy, join(copy, "secrets"), join(copy, "secrets", "peppers")]) chmodSync(folder, 0o700);
        const ended = spawnSync(process.execPath, [program, "seal", copy, String(step), when], { encoding: "utf8" });
        if (ended.stdout === "done") break;
        expect(ended.signal).toBe("SIGKILL");
        const sealer = openSealer(copy);
        expect(sealer.isClosed).toBe(true);
        for (const [name, bytes] of Object.entries(peppers))
          expect(new PepperFiles(copy, sealer).current(name)?.bytes).toEqual(bytes);
        const key = createPrivateKey(readSecretFile(sealer, signingKeyFile(dataPaths(copy))));
        expect(key.equals(createPrivateKey(pem))).toBe(true);
        const names = readdirSync(join(copy, "secrets"), { recursive: true }).map(String);
        expect(names.filter((name) => name.endsWith(".tmp"))).toEqual([]);
      }
      // The key, the data keys, four secrets and the end of it.
      expect(step).toBeGreaterThanOrEqual(7);
    },
  );

  it("once sealed, takes nothing in the clear any more", () => {
    const directory = makeDirectory();
    const files = new PepperFiles(directory);
    files.create("dev");
    const paths = dataPaths(directory);
    const planted = JSON.stringify({ versions: [{ version: 1, bytes: Buffer.alloc(32, 1).toString("base64") }] });
    writeFileSync(pepperFile(paths, "dev").path, planted);
    expect(problemOf(() => new PepperFiles(directory))).toMatchObject({ code: "store_unavailable" });
    writeFileSync(paths.signingKey, generateSigningKey().privatePem);
    return expect(open({ directory })).rejects.toMatchObject({ code: "store_unavailable" });
  });
});

describe("a sealed secret", () => {
  it("opens in its own place only", () => {
    const directory = makeDirectory();
    const files = new PepperFiles(directory);
    files.create("dev");
    files.create("prod");
    const paths = dataPaths(directory);
    writeFileSync(pepperFile(paths, "prod").path, readFileSync(pepperFile(paths, "dev").path));
    expect(problemOf(() => new PepperFiles(directory))).toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("prod.json is damaged or was replaced"),
    });
  });

  it("with a byte turned over is damage, and its content is not told", () => {
    const directory = makeDirectory();
    new PepperFiles(directory).create("dev");
    const { path } = pepperFile(dataPaths(directory), "dev");
    const text = readFileSync(path, "latin1");
    writeFileSync(
      path,
      text.replace(/.(?=\n$)/, (last) => (last === "A" ? "Q" : "A")),
    );
    const problem = problemOf(() => new PepperFiles(directory));
    expect(problem).toMatchObject({ code: "store_unavailable" });
    expect(String(problem.message)).not.toContain(text.slice(30, 60));
  });

  it("without its data keys cannot be read, and no others are made", () => {
    const directory = makeDirectory();
    const paths = dataPaths(directory);
    rmSync(paths.dataKeys);
    expect(problemOf(() => openSealer(directory))).toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("data-keys.json is missing"),
    });
    expect(existsSync(paths.dataKeys)).toBe(false);
  });
});

describe("the key-encryption key", () => {
  const kek = Buffer.alloc(32, 0x5a);

  function script(text: string): string {
    const path = join(place(), "kek.sh");
    writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o700 });
    return path;
  }

  function keyFile(content: string | Buffer, mode = 0o600): string {
    const path = join(place(), "kek");
    writeFileSync(path, content, { mode });
    chmodSync(path, mode);
    return path;
  }

  it.each([
    ["a file of bytes", () => ({ kind: "file", path: keyFile(kek) }) as const],
    ["a file of hex", () => ({ kind: "file", path: keyFile(`${kek.toString("hex")}\n`) }) as const],
    ["a file of base64", () => ({ kind: "file", path: keyFile(kek.toString("base64url"), 0o444) }) as const],
    ["a program", () => ({ kind: "command", path: script(`echo ${kek.toString("base64")}`) }) as const],
    [
      "a variable",
      () => {
        process.env["SALLYPORT_TEST_KEK"] = kek.toString("base64");
        return { kind: "env", name: "SALLYPORT_TEST_KEK" } as const;
      },
    ],
  ])("comes from %s, is the same from everywhere, and is not written down", (_, source) => {
    const directory = join(place(), "data");
    const from = source();
    initDataDirectory(directory, undefined, from);
    expect(openSealer(directory, { source: from }).kekId).toBe("16171b8f");
    expect(existsSync(dataPaths(directory).keyEncryptionKey)).toBe(false);
    for (const trace of tracesOf(kek)) expect(secretsText(directory)).not.toContain(trace);
  });

  it.each([
    ["file", () => ({ kind: "file", path: keyFile(Buffer.alloc(32, 1)) }) as const],
    ["command", () => ({ kind: "command", path: script(`echo ${Buffer.alloc(32, 1).toString("base64")}`) }) as const],
    [
      "env",
      () => {
        process.env["SALLYPORT_TEST_KEK"] = Buffer.alloc(32, 1).toString("hex");
        return { kind: "env", name: "SALLYPORT_TEST_KEK" } as const;
      },
    ],
  ])("that is a wrong one, from a %s, opens nothing and says which is needed", async (_, source) => {
    const directory = makeDirectory();
    const before = secretsText(directory);
    const needed = openSealer(directory).kekId;
    const problem = problemOf(() => openSealer(directory, { source: source() }));
    expect(problem).toMatchObject({ code: "store_unavailable" });
    expect(problem.message).toContain(`lie under the key-encryption key ${needed}`);
    expect(problem.message).toMatch(/gives [0-9a-f]{8}$/);
    expect(secretsText(directory)).toBe(before);
  });

  it.each([
    ["an empty variable", () => ({ kind: "env", name: "SALLYPORT_TEST_KEK" }) as const],
    ["a file that is not there", () => ({ kind: "file", path: join(place(), "none") }) as const],
    ["a file that is too short", () => ({ kind: "file", path: keyFile("QUJD") }) as const],
    ["a file others can write", () => ({ kind: "file", path: keyFile(kek, 0o622) }) as const],
    ["a program that fails", () => ({ kind: "command", path: script("echo WRONG-4711; exit 3") }) as const],
    ["a program that says something else", () => ({ kind: "command", path: script("echo WRONG-4711") }) as const],
    ["a program that is not there", () => ({ kind: "command", path: join(place(), "none") }) as const],
  ])("is not made up for %s: nothing is made, and nothing read is told", (_, source) => {
    const directory = join(place(), "data");
    const problem = problemOf(() => initDataDirectory(directory, undefined, source()));
    expect(problem).toMatchObject({ code: "store_unavailable" });
    expect(JSON.stringify(problem) + String(problem.message)).not.toContain("4711");
    expect(existsSync(directory)).toBe(false);
  });

  it("that is gone is not made anew", () => {
    const directory = makeDirectory();
    const needed = openSealer(directory).kekId;
    rmSync(dataPaths(directory).keyEncryptionKey);
    expect(problemOf(() => openSealer(directory)).message).toContain(`the key ${needed} is needed`);
    expect(existsSync(dataPaths(directory).keyEncryptionKey)).toBe(false);
  });
});
