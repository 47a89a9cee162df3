/**
 * `tools/take-away.js` on a project of one rule: what counts as proof, and what ends the run red. Each run is a process
 * with a copy of the project, as in earnest.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const FILES = {
  "package.json": `{ "type": "module" }`,
  ".gitignore": "node_modules\ndist\n",
  "vitest.config.js": `export default { test: { include: ["**/*.test.ts"], pool: "forks" } };`,
  "packages/gate/src/gate.ts": `import { LIMIT } from "./limit.ts";
export function mayPass(age: number): boolean {
  if (age < LIMIT) return false;
  if (age > 200) return false;
  return true;
}
`,
  "packages/gate/src/limit.ts": "export const LIMIT: number = 18;\n",
  "packages/gate/src/gate.test.ts": testOf("./gate.ts"),
  "test/gate.test.ts": testOf("../packages/gate/dist/gate.js"),
  "test/skipped.test.ts": `import { it } from "vitest";\nit.skip("is skipped", () => {});\n`,
  "test/hook.test.ts": `import { beforeAll, expect, it } from "vitest";
import { mayPass } from "../packages/gate/dist/gate.js";
beforeAll(() => { if (mayPass(5)) throw new Error("not prepared"); });
it("runs", () => expect(mayPass(20)).toBe(true));
`,
};

function testOf(gate: string): string {
  return `import { expect, it } from "vitest";
import { mayPass } from ${JSON.stringify(gate)};
it("lets nobody pass who is too young", () => expect(mayPass(17)).toBe(false));
it("lets others pass", () => expect(mayPass(18)).toBe(true));
`;
}

const gate = "packages/gate/src/gate.ts" as const;
const minimum = { rule: "R1", what: "a minimum", file: gate, from: "if (age < LIMIT) return false;\n", to: "" };
const onSources = { ...minimum, test: "packages/gate/src/gate.test.ts" as const };
const onBuilt = { ...minimum, test: "test/gate.test.ts" };
const PROGRAM = resolve("tools/take-away.js");

let folder: string;
let project: string;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

function takeAway(rows: readonly object[], ...words: string[]) {
  write("tools/take-away-rules.js", `export const rules = ${JSON.stringify(rows)};\n`);
  const temporary = join(folder, "temporary");
  const env = { ...process.env, TMPDIR: temporary };
  const run = spawnSync(process.execPath, [PROGRAM, ...words], { cwd: project, encoding: "utf8", env });
  return { status: run.status, stdout: run.stdout, stderr: run.stderr, left: readdirSync(temporary) };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-take-away-"));
  project = join(folder, "project");
  mkdirSync(join(folder, "temporary"));
  for (const [path, text] of Object.entries(FILES)) write(path, text);
  mkdirSync(join(project, "node_modules"));
  symlinkSync(resolve("node_modules/vitest"), join(project, "node_modules/vitest"));
  execFileSync("git", ["init", "--quiet"], { cwd: project });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a run", () => {
  it("is green when tests of the sources and of the built program notice, and leaves nothing behind", () => {
    const { status, stdout, left } = takeAway([onSources, onBuilt], "--json");
    expect(JSON.parse(stdout)).toEqual({ baseline: "green", rules: 2, survived: [] });
    expect([status, left]).toEqual([0, []]);
  });

  it("names each row that shows nothing, and why", () => {
    const rows = [
      { ...onBuilt, what: "a maximum", from: "if (age > 200) return false;", to: "" },
      { ...onBuilt, what: "moved", from: "if (age < 21) return false;" },
      { ...onBuilt, what: "ambiguous", from: "return false;" },
      { ...onBuilt, what: "no JavaScript", to: "if (" },
      { ...onBuilt, what: "no such name", to: "if (age < minimumAge) return false;" },
      { ...onBuilt, what: "no such file", file: "packages/gate/src/gone.ts" },
      { ...onBuilt, what: "throws when loaded", file: "packages/gate/src/limit.ts", from: "18", to: "{}.x.y" },
      { ...onBuilt, what: "only a hook fails", test: "test/hook.test.ts" },
      { ...onSources, what: "throws when called, on sources", to: "if (age.limit.of) return false;" },
      { ...onBuilt, what: "throws when called, built", to: "if (age.limit.of) return false;" },
      onBuilt,
      { ...onSources, what: "a maximum that no unit test knows", from: "if (age > 200) return false;", to: "" },
    ];
    const { status, stdout, stderr } = takeAway(rows, "--json", "--workers", "1");
    const { survived, ...rest } = JSON.parse(stdout) as { survived: Record<string, string>[] };
    expect([status, rest]).toEqual([1, { baseline: "green", rules: 12 }]);
    expect(new Map(survived.map(({ what, why }) => [what, why]))).toEqual(
      new Map([
        ["a maximum", "passed"],
        ["moved", "stale"],
        ["ambiguous", "stale"],
        ["no JavaScript", "broken"],
        ["no such name", "broken"],
        ["no such file", "stale"],
        ["throws when loaded", "broken"],
        ["only a hook fails", "broken"],
        ["throws when called, on sources", "broken"],
        ["throws when called, built", "broken"],
        ["a maximum that no unit test knows", "passed"],
      ]),
    );
    expect(stderr).toMatch(/SURVIVED \(passed\) R1: a maximum \(test\/gate\.test\.ts\)/);
  });

  it("of a row with the name of a test runs that test alone", () => {
    const named = (name: string) => ({ ...onBuilt, what: name, named: name });
    const { stdout } = takeAway(["nobody pass", "lets others pass", "mayP.ss(17)", "mayPass(17)"].map(named), "--json");
    const { survived } = JSON.parse(stdout) as { survived: Record<string, string>[] };
    const reasons = { "lets others pass": "passed", "mayP.ss(17)": "stale", "mayPass(17)": "broken" };
    expect(Object.fromEntries(survived.map(({ what, why }) => [what, why]))).toEqual(reasons);
  });

  it("goes on where another stopped, and proves again what has changed since", () => {
    const log = join(folder, "proofs");
    const maximum = { ...onBuilt, what: "a maximum", from: "if (age > 200) return false;", to: "" };
    const resume = (...rows: object[]) => {
      const { stdout, stderr } = takeAway(rows, "--json", "--workers", "1", "--resume", log);
      const { rules, survived } = JSON.parse(stdout) as { rules: number; survived: unknown[] };
      return [
        rules,
        survived.length,
        stderr.match(/(?<=\d (?:passes|noticed|SURVIVED \(passed\)) ).*?(?=:|$)/gm) ?? [],
      ];
    };
    expect(resume(onSources, maximum)).toEqual([2, 1, [onSources.test, onBuilt.test, "R1", "R1"]]);
    appendFileSync(log, '{"rule":"R1","what":"half writ');
    expect(resume(onSources, maximum)).toEqual([2, 1, ["R1"]]);
    expect(resume(onSources)).toEqual([1, 0, []]);
    const other = { ...onSources, to: "age;" };
    expect(resume(other)).toEqual([1, 0, ["R1"]]);
    expect(resume(other)).toEqual([1, 0, []]);
    for (const path of [gate, onSources.test] as const) {
      write(path, `${FILES[path]}\n`);
      expect(resume(onSources)).toEqual([1, 0, [onSources.test, "R1"]]);
      write(path, FILES[path]);
    }
  });

  it("is red, and takes nothing away, when a test fails with every rule in place", () => {
    const later = { ...minimum, test: "test/hook.test.ts" };
    write("test/gate.test.ts", FILES["test/gate.test.ts"].replace("toBe(true)", "toBe(true, (() => { throw 1; })())"));
    const { status, stdout, stderr } = takeAway([onSources, onBuilt, later], "--json", "--workers", "1");
    write("test/gate.test.ts", FILES["test/gate.test.ts"]);
    expect(JSON.parse(stdout)).toEqual({ baseline: "red", rules: 3, survived: [] });
    expect(status).toBe(1);
    expect(stderr.match(/RED \S+/g)).toEqual(["RED test/gate.test.ts:"]);
    expect(stderr).not.toMatch(/noticed/);
  });

  it("is red when a test is skipped or not there", () => {
    const tests = ["test/skipped.test.ts", "test/gone.test.ts"];
    const { status, stdout } = takeAway(tests.map((test) => ({ ...minimum, test })));
    expect(status).toBe(1);
    for (const test of tests) expect(stdout).toContain(`RED ${test}`);
  });
});

it("--stale finds the rows that cannot be taken away without running a test", () => {
  const rows = [
    onBuilt,
    { ...onBuilt, from: "if (age < 21)" },
    { ...onBuilt, named: "lets nobody in" },
    { ...onBuilt, to: "minimumAge();" },
  ];
  const { status, stdout, stderr } = takeAway(rows, "--stale");
  expect([status, stdout]).toEqual([1, "rules: 1 can be taken away, 3 cannot\n"]);
  expect(stderr).toMatch(
    /is not in packages\/gate.*\n.*no test named lets nobody in\n.*uses what is not defined: 'minimumAge'/,
  );
  expect(takeAway([onBuilt], "--stale").status).toBe(0);
});

it("rejects words it does not know, and a prefix that no rule begins with", () => {
  for (const words of [["--shard", "3/2"], ["--workers", "no"], ["--all"], ["R2"]])
    expect([words, takeAway([onBuilt], ...words).status]).toEqual([words, 2]);
});

it("cuts the rows into shards that have every row once and each test whole", () => {
  // Of a row whose code is not found, `--stale` tells the name.
  const rows = Array.from({ length: 20 }, (_, at) => ({ rule: `r${at}`, test: `test/${at % 7}.test.ts` }));
  const stale = rows.map((row) => ({ ...minimum, ...row, from: "not there" }));
  const shards = [1, 2, 3].map((number) => {
    const { stderr } = takeAway(stale, "--stale", "--shard", `${number}/3`);
    return rows.filter(({ rule }) => stderr.includes(`${rule}: a minimum`));
  });
  expect(shards.flat().length).toBe(rows.length);
  const testsOf = shards.map((shard) => new Set(shard.map(({ test }) => test)));
  expect(testsOf.map(({ size }) => size)).toEqual([3, 2, 2]);
  expect(new Set(testsOf.flatMap((tests) => [...tests])).size).toBe(7);
});
