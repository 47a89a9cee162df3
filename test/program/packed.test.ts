/**
 * The packages as they would be published: packed, unpacked in an empty folder outside the checkout, and run there. Of
 * the checkout's dependencies each package sees only those it declares, so one that is missing in a package.json shows.
 */
import { execFile, spawn } from "node:child_process";
import {
  cpSync,
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
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const run = promisify(execFile);
const checkout = join(import.meta.dirname, "../..");
const names = ["@sallyport/protocol", "@sallyport/ledger", "@sallyport/contract", "@sallyport/client", "sallyport"];
const root = mkdtempSync(join(tmpdir(), "sallyport-packed-"));
const modules = join(root, "node_modules");
const program = join(modules, ".bin", "sallyport");
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(SALLYPORT|npm)_/.test(name)));

const manifestOf = (name: string): Manifest =>
  JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8")) as Manifest;

beforeAll(async () => {
  const words = ["pack", "--workspaces", "--ignore-scripts", "--json", "--pack-destination", root];
  const { stdout } = await run("npm", words, { cwd: checkout, env });
  for (const { name, filename } of JSON.parse(stdout) as { name: string; filename: string }[]) {
    const home = join(modules, name);
    mkdirSync(home, { recursive: true });
    await run("tar", ["-xzf", join(root, filename), "-C", home, "--strip-components=1"]);
  }
  // As `npm pack` does by itself where scripts are not ignored.
  await run(process.execPath, [join(checkout, "tools/bundle.js"), join(modules, "sallyport/dist/program")]);
  for (const name of names) {
    for (const dependency of Object.keys(manifestOf(name).dependencies ?? {})) {
      if (names.includes(dependency)) continue;
      const link = join(modules, name, "node_modules", dependency);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(checkout, "node_modules", dependency), link);
    }
  }
  mkdirSync(join(modules, ".bin"));
  for (const [name, path] of Object.entries(manifestOf("sallyport").bin ?? {}))
    symlinkSync(join(modules, "sallyport", path), join(modules, ".bin", name));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("each package", () => {
  it.each(names)("%s has its licence, its words and its built code, and nothing that is not needed", (name) => {
    const files = readdirSync(join(modules, name), { recursive: true, encoding: "utf8" }).filter(
      (path) => !path.startsWith("node_modules") && statSync(join(modules, name, path)).isFile(),
    );
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "package.json"]));
    expect(files.filter((path) => /^dist.*\.js$/.test(path)).length).toBeGreaterThan(2);
    expect(files.filter((path) => /\.test\.|\.map$|tsbuildinfo|(^|\/)src\//.test(path))).toEqual([]);
    expect(readFileSync(join(modules, name, "LICENSE"), "utf8")).toBe(readFileSync(join(checkout, "LICENSE"), "utf8"));
  });

  it.each(names)("%s pins what it needs, its siblings in its own version", (name) => {
    const { version, dependencies = {} } = manifestOf(name);
    for (const [dependency, wanted] of Object.entries(dependencies)) {
      expect(wanted, dependency).toMatch(/^\d+\.\d+\.\d+$/);
      if (names.includes(dependency)) expect(wanted).toBe(version);
    }
  });
});

describe("the program in a few files", () => {
  const folder = join(modules, "sallyport/dist");

  it("has all that starts a thread beside it", () => {
    const threads = new Set<string>();
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
      path.endsWith(".js"),
    ))
      for (const [, file] of readFileSync(join(folder, name), "utf8").matchAll(
        /new URL\("([^"]+)", import\.meta\.url\)/g,
      ))
        threads.add(file!);
    expect([...threads].toSorted()).toEqual([
      "./audit-thread.js",
      "./hash-thread.js",
      "./policy-text-thread.js",
      "./state-thread.js",
      "./writer-thread.js",
    ]);
    for (const file of threads) expect(existsSync(join(folder, "program", file)), file).toBe(true);
  });

  it("holds no code of others", () => {
    const files = readdirSync(join(folder, "program"));
    const text = files.map((name) => readFileSync(join(folder, "program", name), "utf8")).join("\n");
    const asked = new Set([...text.matchAll(/(?:from|import\() ?"([^."][^"]*)"/g)].map(([, id]) => id));
    for (const id of ["hono", "zod", "jose", "yaml", "pino"]) expect(asked).toContain(id);
    expect([...asked].filter((id) => id!.startsWith("@sallyport/"))).toEqual([]);
    expect(text).not.toMatch(/node_modules/);
  });
});

/** Where the verifier and what it needs are installed, and nothing else: no zod, no database. */
async function verifyAsAuditor(copy: string): Promise<void> {
  const own = join(root, "auditor/node_modules");
  for (const name of ["@sallyport/protocol", "@sallyport/ledger"])
    cpSync(join(modules, name), join(own, name), { recursive: true });
  const command = join(own, "@sallyport/ledger", manifestOf("@sallyport/ledger").bin!["sallyport-verify"]!);
  const verify = (...words: string[]) => run(process.execPath, [command, ...words], { cwd: root, env });
  expect((await verify(copy)).stdout).toMatch(/^ledger +whole\nrecords +\d+\n/);
  const manifest = join(copy, "manifest");
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace(/[0-9a-f]{64}/, "0".repeat(64)));
  await expect(verify(copy, "--json")).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringContaining('"ok":false'),
  });
  await expect(verify(join(root, "none"))).rejects.toMatchObject({ code: 4 });
  await expect(verify()).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("remedy") });
}

describe("in an empty folder", () => {
  // Only the few files can run.
  beforeAll(() => rmSync(join(modules, "sallyport/dist/main.js")));

  it("npx finds the program and it says its version", async () => {
    const { stdout } = await run("npx", ["--offline", "--no-install", "sallyport", "--version"], { cwd: root, env });
    expect(stdout.trim()).toBe(manifestOf("sallyport").version);
  });

  it("the program makes a data directory, serves, gives a key, and ends", async () => {
    const data = join(root, "data");
    const { stdout } = await run(program, ["init", "--data", data, "--json"], { cwd: root, env });
    expect(JSON.parse(stdout)).toMatchObject({ environment: "dev", dataDirectory: data });
    const words = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    const child = spawn(program, words, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const url = await new Promise<string>((resolve, reject) => {
      child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
      child.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString("utf8");
        const ready = /^sallyport ready data=(\S+)/m.exec(said);
        if (ready) resolve(ready[1]!);
      });
      void ended.then((code) => reject(new Error(`serve ended with ${code}: ${said}`)));
    });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const key = ["keys", "create", "--data", data, "--env", "dev", "--name", "a", "--role", "cli", "--model", "*"];
    const issued = JSON.parse((await run(program, [...key, "--json"], { cwd: root, env })).stdout) as { key: string };
    const answer = await fetch(`${url}/api/tags`, { headers: { authorization: `Bearer ${issued.key}` } });
    expect(answer.status).not.toBe(401);
    const search = ["audit", "search", "--data", data, "--type", "key.issued", "--json"];
    expect((await run(program, search, { cwd: root, env })).stdout).toContain('"key.issued"');
    const copy = join(root, "copy");
    await run(program, ["audit", "export", "--data", data, "--out", copy], { cwd: root, env });
    await verifyAsAuditor(copy);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(existsSync(join(data, "admin.sock"))).toBe(false);
  });
});
