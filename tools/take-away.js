// Takes the code of each rule away, one at a time, in a copy of the tree, and runs the test that must then fail. A test
// that still passes without its rule is reported: it shows nothing. Slow (some minutes); not part of the tests.
// `npm run take-away` for all, `npm run take-away -- R4` for those whose rule begins so.
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { rules } from "./take-away-rules.js";

// `--stale` only looks whether the code of each rule is still where the list says; that is part of the check.
if (process.argv[2] === "--stale") {
  const stale = rules.filter(({ file, from }) => !readFileSync(file, "utf8").includes(from));
  for (const { rule, what, file } of stale) console.error(`${rule}: ${what}: the code to take away is not in ${file}`);
  console.log(`rules: ${rules.length} can be taken away${stale.length > 0 ? `, ${stale.length} not found` : ""}`);
  process.exit(stale.length > 0 ? 1 : 0);
}

const wanted = process.argv[2] ?? "";
const root = resolve(".");
const copy = mkdtempSync(join(tmpdir(), "take-away-"));

function copyTree() {
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" })
    .split("\n")
    .filter(Boolean);
  for (const file of files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(file, join(copy, file));
  }
  // The dependencies are linked; the workspaces must be the copy's own.
  mkdirSync(join(copy, "node_modules"));
  for (const name of readdirSync("node_modules")) {
    const path = join(root, "node_modules", name);
    if (name === "@sallyport") {
      mkdirSync(join(copy, "node_modules", name));
      for (const member of readdirSync(path))
        symlinkSync(join(copy, "packages", member), join(copy, "node_modules", name, member));
    } else if (lstatSync(path).isSymbolicLink()) {
      symlinkSync(join(copy, "packages", name), join(copy, "node_modules", name));
    } else symlinkSync(path, join(copy, "node_modules", name));
  }
}

const run = (command, words) =>
  spawnSync(join(root, "node_modules", ".bin", command), words, { cwd: copy, encoding: "utf8", timeout: 1_800_000 });

copyTree();
let kept = 0;
try {
  const chosen = rules.filter(({ rule }) => rule.startsWith(wanted));
  run("tsc", ["-b"]);
  // A test that fails by itself proves nothing: all of them must pass before anything is taken away.
  const tests = [...new Set(chosen.map(({ test }) => test))];
  const baseline = tests.length === 0 ? undefined : run("vitest", ["run", ...tests, "--maxWorkers=1"]);
  if (baseline !== undefined && baseline.status !== 0) {
    console.log(baseline.stdout);
    console.log("the tests fail with every rule in place: nothing was taken away");
    kept = 1;
    chosen.length = 0;
  }
  for (const { rule, what, file, from, to, test } of chosen) {
    const path = join(copy, file);
    const text = readFileSync(path, "utf8");
    if (!text.includes(from)) {
      console.log(`STALE  ${rule}: ${what}: the code to take away is not in ${file}`);
      kept++;
      continue;
    }
    writeFileSync(path, text.replace(from, to));
    // Types may complain of what is unused now; what counts is what runs.
    run("tsc", ["-b"]);
    const failed =
      run("vitest", ["run", test, "--testTimeout", "15000", "--hookTimeout", "15000", "--bail", "1"]).status !== 0;
    console.log(`${failed ? "fails " : "PASSES"} ${rule}: ${what} (${test})`);
    if (!failed) kept++;
    writeFileSync(path, text);
  }
  run("tsc", ["-b"]);
  if (chosen.length > 0 || kept === 0)
    console.log(
      kept === 0
        ? `${chosen.length} rules taken away, each made its test fail`
        : `${kept} of ${chosen.length} tests did not notice`,
    );
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.exitCode = kept === 0 ? 0 : 1;
