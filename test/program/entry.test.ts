/** Which form of the program the command runs: the few files, unless something was built since. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";

let home: string;
const at = (path: string): string => join(home, "packages", path);

function write(path: string, text: string, seconds: number): void {
  mkdirSync(join(at(path), ".."), { recursive: true });
  writeFileSync(at(path), text);
  utimesSync(at(path), seconds, seconds);
}

function run(): string {
  try {
    return execFileSync(process.execPath, [at("sallyport/bin/sallyport.js")], {
      encoding: "utf8",
      stdio: "pipe",
    }).trim();
  } catch (failure) {
    return `exit ${(failure as { status: number }).status}`;
  }
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "sallyport-entry-"));
  write("sallyport/package.json", '{"type":"module","engines":{"node":">=20.0.0"}}', 1_000);
  mkdirSync(at("sallyport/bin"));
  copyFileSync(
    join(import.meta.dirname, "../../packages/sallyport/bin/sallyport.js"),
    at("sallyport/bin/sallyport.js"),
  );
  return () => rmSync(home, { recursive: true });
});

test("nothing is built: it says so", () => {
  expect(run()).toBe("exit 3");
});

test("a package has no files of the build beside it: the few files run", () => {
  write("sallyport/dist/main.js", 'console.log("built")', 1_000);
  write("sallyport/dist/program/main.js", 'console.log("few")', 1_000);
  expect(run()).toBe("few");
});

test("without the few files the built ones run", () => {
  write("sallyport/dist/main.js", 'console.log("built")', 1_000);
  expect(run()).toBe("built");
});

test.each(["sallyport", "client", "contract", "ledger", "ledger/src/node", "protocol"])(
  "what was built since, of %s, is what runs",
  (name) => {
    write("sallyport/dist/main.js", 'console.log("built")', 3_000);
    write("sallyport/dist/program/main.js", 'console.log("few")', 2_000);
    write(`${name}/tsconfig.tsbuildinfo`, "{}", 3_000);
    expect(run()).toBe("built");
    write("sallyport/dist/program/main.js", 'console.log("few")', 4_000);
    expect(run()).toBe("few");
  },
);
