/** The Debian package: built from this checkout, unpacked and run, and where the tests run as root installed and removed. */
import { execFile, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
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
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cleanEnv } from "./program.ts";

const run = promisify(execFile);
const checkout = join(import.meta.dirname, "../..");
const work = mkdtempSync(join(tmpdir(), "sallyport-debian-"));
afterAll(() => rmSync(work, { recursive: true }));

const hasDpkg = spawnSync("dpkg-deb", ["--version"]).status === 0;
const isRoot = process.getuid?.() === 0;
if (!hasDpkg) console.warn("skipped: the Debian package, because dpkg-deb is not installed here");
else if (!isRoot) console.warn("skipped: installing the Debian package, because the tests do not run as root");

const root = join(work, "unpacked");
const textOf = (place: string): string => readFileSync(join(root, place), "utf8");
let deb: string;

describe.skipIf(!hasDpkg)("the Debian package", () => {
  beforeAll(async () => {
    await run(process.execPath, ["tools/make-deb.js", work], { cwd: checkout, env: cleanEnv() });
    deb = join(
      work,
      readdirSync(work).find((name) => name.endsWith(".deb"))!,
    );
    await run("dpkg-deb", ["--extract", deb, root]);
  }, 300_000);

  it("has a program that runs outside the checkout, and settings that it takes", async () => {
    const program = join(root, "usr/bin/sallyport");
    const env = { PATH: process.env["PATH"], HOME: work };
    const { version } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as { version: string };
    const { stdout } = await run(program, ["--version"], { env, cwd: "/" });
    expect(stdout).toBe(`${version}\n`);
    const words = [
      "init",
      "--json",
      "--settings",
      join(root, "etc/sallyport/sallyport.yaml"),
      "--data",
      join(work, "data"),
    ];
    expect(JSON.parse((await run(program, words, { env, cwd: "/" })).stdout)).toHaveProperty("adminKey");
  });

  it("has a unit that starts this program as its user, with these settings, and writes no core", () => {
    const unit = textOf("usr/lib/systemd/system/sallyport.service");
    const [, program] = /^ExecStart=\/usr\/bin\/node \/(\S+) serve$/m.exec(unit)!;
    expect(existsSync(join(root, program!))).toBe(true);
    expect(unit).toMatch(/^Environment=SALLYPORT_SETTINGS=\/etc\/sallyport\/sallyport\.yaml$/m);
    expect(unit).toMatch(/^User=sallyport$/m);
    expect(unit).toMatch(/^LimitCORE=0$/m);
    expect(unit).not.toContain("/opt/");
  });

  it("has man pages and completions, and nothing that only a developer needs", () => {
    expect(existsSync(join(root, "usr/share/man/man1/sallyport-import.1.gz"))).toBe(true);
    expect(textOf("usr/share/bash-completion/completions/sallyport")).toContain("complete -F");
    expect(textOf("usr/share/zsh/vendor-completions/_sallyport")).toMatch(/^#compdef sallyport\n/);
    expect(textOf("usr/share/fish/vendor_completions.d/sallyport.fish")).toContain("__sallyport_complete");
    const modules = readdirSync(join(root, "usr/lib/sallyport/node_modules"));
    expect(modules).toEqual(expect.arrayContaining(["sallyport", "@sallyport", "zod", "hono"]));
    expect(modules.filter((name) => ["vitest", "typescript", "oxlint", "rolldown"].includes(name))).toEqual([]);
    expect(readdirSync(join(root, "usr/lib/sallyport/node_modules/@photostructure/sqlite/prebuilds"))).toHaveLength(1);
  });

  it("belongs to root, and no file of it can be written by others", async () => {
    const { stdout } = await run("dpkg-deb", ["--contents", deb], { maxBuffer: 64 * 1024 * 1024 });
    const lines = stdout.trim().split("\n");
    expect(lines.filter((line) => !line.includes(" root/root "))).toEqual([]);
    expect(lines.filter((line) => !line.startsWith("l") && line[8] === "w")).toEqual([]);
  });

  it.skipIf(!isRoot)(
    "is installed, keeps changed settings when removed, and leaves the data when purged",
    async () => {
      const target = join(work, "installed");
      for (const folder of ["var/lib/dpkg/updates", "var/lib/dpkg/info", "var/lib/sallyport"])
        mkdirSync(join(target, folder), { recursive: true });
      for (const file of ["status", "available"]) writeFileSync(join(target, "var/lib/dpkg", file), "");
      // The folder has no Node package, and its scripts run outside of it: they see DPKG_ROOT and touch nothing here.
      const dpkg = (...words: string[]) =>
        run("dpkg", [`--root=${target}`, "--force-depends", "--force-script-chrootless", ...words], {
          env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
        });
      await dpkg("--install", deb);
      expect(lstatSync(join(target, "usr/bin/sallyport")).isSymbolicLink()).toBe(true);
      const settings = join(target, "etc/sallyport/sallyport.yaml");
      writeFileSync(settings, "log: warn\n");
      await dpkg("--install", deb);
      expect(readFileSync(settings, "utf8")).toBe("log: warn\n");
      await dpkg("--remove", "sallyport");
      expect([existsSync(join(target, "usr/lib/sallyport")), existsSync(settings)]).toEqual([false, true]);
      await dpkg("--purge", "sallyport");
      expect([existsSync(settings), statSync(join(target, "var/lib/sallyport")).isDirectory()]).toEqual([false, true]);
      expect(spawnSync("getent", ["passwd", "sallyport"]).status).not.toBe(0);
    },
    120_000,
  );
});
