/** `sallyport scan` on files, repositories and streams: what it prints, and its exit codes. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { embeddings } from "../../testdata/leaks/embeddings.js";
import { capturedIo } from "../captured-io.ts";
import { formatKeyText, runCli } from "../program-under-test.ts";

const home = mkdtempSync(join(tmpdir(), "sallyport-scan-"));
afterAll(() => rmSync(home, { recursive: true }));

const ID = "AbCdEfGh1234";
const key = formatKeyText("sp", "dev", ID, "s3cret0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZa");
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(home, "case-"));
});

interface Ended {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

async function scan(words: readonly string[], text: string | Buffer = ""): Promise<Ended> {
  const env = { PATH: process.env["PATH"], HOME: home, SALLYPORT_DATA: join(home, "no-gateway") };
  const { io, out, err } = capturedIo({ text, env });
  const exit = await runCli(["scan", ...words], io, async () => {
    throw new Error("the command opened a data directory");
  });
  const ended = { exit, out: out.join("\n"), err: err.join("\n") };
  expect(ended.out + ended.err).not.toContain(key.slice(-20));
  return ended;
}

interface Finding {
  readonly keyId: string;
  readonly environment: string;
  readonly file: string;
  readonly line: number;
  readonly form: string;
}

async function findings(words: readonly string[], text?: string | Buffer) {
  const { exit, out } = await scan([...words, "--json"], text);
  const report = JSON.parse(out) as {
    readonly files: number;
    readonly bytes: number;
    readonly findings: readonly Finding[];
    readonly skipped: readonly { readonly file: string; readonly reason: string }[];
  };
  return { exit, ...report };
}

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("files", () => {
  it("reports key, environment, file, line and form, and exits with 1", async () => {
    const path = file("app.env", `A=1\nKEY=${key}\n`);
    const { exit, files, bytes, findings: found } = await findings([folder]);
    expect(exit).toBe(1);
    expect(found).toMatchObject([{ keyId: ID, environment: "dev", file: path, line: 2, form: "plain" }]);
    expect({ files, bytes }).toEqual({ files: 1, bytes: key.length + 9 });
  });

  it("exits with 0 if there is no key, and with 2 for a mistake", async () => {
    file("clean", "nothing here\n");
    expect((await scan([folder])).exit).toBe(0);
    for (const words of [
      [],
      [join(folder, "missing")],
      [folder, "--staged"],
      [folder, "--json", "--sarif"],
      [folder, "--history"],
    ])
      expect((await scan(words)).exit).toBe(2);
    expect((await scan(["--git", folder])).exit).toBe(2);
  });

  it("finds a key in every form, in one folder", async () => {
    const forms = Object.values(embeddings);
    for (const [at, embed] of forms.entries()) file(`form-${at}`, embed(key, "noise"));
    const { findings: found } = await findings([folder]);
    expect(new Set(found.map((leak) => leak.file.split("!")[0])).size).toBe(forms.length);
  });

  it("says what it knows of a key without a gateway", async () => {
    file("app.env", key);
    expect((await scan([folder])).out).toMatch(/unknown here.*sallyport keys suspend AbCdEfGh1234/);
  });

  it("survives loops, hostile names and bombs, reports them, and keeps its exit code", async () => {
    mkdirSync(join(folder, "inner"));
    symlinkSync("..", join(folder, "inner", "loop"));
    symlinkSync("self", join(folder, "self"));
    file("\u001b[31mred\nname", key);
    file("bomb.gz", gzipSync(Buffer.alloc(80 * 1024 * 1024)));
    const { exit, findings: found, skipped } = await findings([folder]);
    expect(exit).toBe(1);
    expect(found).toHaveLength(1);
    expect(skipped.map(({ reason }) => reason).join()).toMatch(/larger than/);
    expect((await scan([folder])).exit).toBe(1);
  });

  it("exits with 3 under --strict if something was skipped", async () => {
    file("bomb.gz", gzipSync(Buffer.alloc(80 * 1024 * 1024)));
    expect((await scan([folder])).exit).toBe(0);
    expect((await scan([folder, "--strict"])).exit).toBe(3);
  });

  it("finds keys in a large file, also across the borders of its pieces, with their lines", async () => {
    const path = file("large", "");
    const line = `${"x".repeat(1023)}\n`;
    appendFileSync(path, line.repeat(8 * 1024 - 1) + "y".repeat(1000));
    appendFileSync(path, `${key}\n`);
    truncateSync(path, 100 * 1024 * 1024);
    appendFileSync(path, key);
    const { findings: found, bytes } = await findings([path]);
    expect(found.map(({ line: at }) => at)).toEqual([8 * 1024, 8 * 1024 + 1]);
    expect(bytes).toBe(100 * 1024 * 1024 + key.length);
  });
});

describe("baseline and SARIF", () => {
  it("does not report what the baseline knows, and still reports the key elsewhere", async () => {
    const path = file("old.env", key);
    const baseline = join(home, "baseline.json");
    expect((await scan([folder, "--write-baseline", baseline])).exit).toBe(0);
    expect(readFileSync(baseline, "utf8")).not.toContain(key.slice(-20));
    // The command reads it through its terminal.
    const known = readFileSync(baseline, "utf8");
    expect((await scan([folder, "--baseline", baseline], known)).exit).toBe(0);
    file("new.env", key);
    const { exit, findings: found } = await findings([folder, "--baseline", baseline], known);
    expect(exit).toBe(1);
    expect(found.map((leak) => leak.file)).not.toContain(path);
    expect((await scan([folder, "--baseline", path], "no baseline")).exit).toBe(2);
  });

  it("prints SARIF 2.1.0", async () => {
    file("a b.env", `\n${key}`);
    const { out } = await scan([folder, "--sarif"]);
    const { version, runs } = JSON.parse(out);
    expect(version).toBe("2.1.0");
    const [{ physicalLocation }] = runs[0].results[0].locations;
    expect(physicalLocation.artifactLocation.uri).toMatch(/a%20b\.env$/);
    expect(physicalLocation.region).toEqual({ startLine: 2 });
  });
});

describe("streams and images", () => {
  it("scans standard input", async () => {
    const { exit, findings: found } = await findings(["-"], `log\n${key}\n`);
    expect(exit).toBe(1);
    expect(found).toMatchObject([{ file: "standard input", line: 2 }]);
    expect((await findings(["-"], gzipSync(key))).findings).toMatchObject([{ form: "gzip" }]);
  });

  it("scans the layers of an image", async () => {
    const path = file("image.tar", embeddings["gzip in tar"]!(key, ""));
    const { findings: found } = await findings(["--docker-archive", path]);
    expect(found).toMatchObject([{ keyId: ID, file: `${path}!log.gz`, form: "tar+gzip" }]);
  });
});

describe("git", () => {
  function git(...words: readonly string[]): string {
    const identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
    return execFileSync("git", ["-C", folder, ...identity, ...words], { encoding: "utf8" });
  }
  function commit(name: string, content: string): void {
    file(name, content);
    git("add", "-A");
    git("commit", "-q", "-m", "change");
  }
  beforeEach(() => {
    git("init", "-q", "-b", "main");
    commit("app.env", `KEY=${key}\n`);
  });

  it("scans what is committed, and with --history what ever was, each blob once", async () => {
    expect((await findings(["--git", folder])).findings).toMatchObject([{ file: "app.env", line: 1 }]);
    for (let i = 0; i < 3; i++) commit("other", String(i));
    git("rm", "-q", "app.env");
    git("commit", "-q", "-m", "removed");
    expect((await scan(["--git", folder])).exit).toBe(0);
    const { exit, findings: found } = await findings(["--git", folder, "--history"]);
    expect(exit).toBe(1);
    expect(found).toHaveLength(1);
    expect(found[0]!.file).toMatch(/^app\.env@[0-9a-f]{12}$/);
  });

  it("scans commit messages", async () => {
    git("commit", "-q", "--allow-empty", "-m", `leak ${key}`);
    const { findings: found } = await findings(["--git", folder, "--history"]);
    expect(found.map((leak) => leak.file).join()).toMatch(/commit [0-9a-f]{40}/);
  });

  // Git reports the first as missing, and ends at the second.
  it.each([
    ["without a header", () => Buffer.from("broken")],
    ["that is truncated", (whole: Buffer) => whole.subarray(0, whole.length >> 1)],
  ])("reports a broken object %s and goes on", async (_, damage) => {
    commit("later", `${randomBytes(200_000).toString("hex")}\n`);
    const id = git("rev-parse", "HEAD:later").trim();
    const object = join(folder, ".git/objects", id.slice(0, 2), id.slice(2));
    const whole = readFileSync(object);
    rmSync(object);
    writeFileSync(object, damage(whole));
    const { exit, findings: found, skipped } = await findings(["--git", folder, "--history"]);
    expect(exit).toBe(1);
    expect(found).toHaveLength(1);
    expect(skipped).toMatchObject([{ file: id }]);
  });

  it("a pushed commit is scanned, what is known already is not", async () => {
    const known = git("rev-parse", "HEAD").trim();
    expect((await findings(["--git", folder, "--pushed", known])).findings).toEqual([]);
    git("checkout", "-q", "--detach");
    commit("pushed.env", `k: ${key}\n`);
    const pushed = git("rev-parse", "HEAD").trim();
    git("checkout", "-q", "main");
    const { exit, findings: found } = await findings(["--git", folder, "--pushed", "0".repeat(40), pushed]);
    expect(exit).toBe(1);
    expect(found).toMatchObject([{ file: "pushed.env" }]);
    expect((await scan(["--git", folder, "--pushed", "--all"])).exit).not.toBe(0);
  });
});
