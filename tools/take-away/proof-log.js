// What earlier runs have shown, so that a run that was stopped can go on: a file of one JSON line for each test that
// passed with all rules in place, and for each rule that was proved. The first counts as long as the tree is what it was,
// the second as long as the row, the file the row edits and the row's test are. What else the test imports may have
// changed since: a run that has to judge a release starts with a new file.
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { filesOfTree } from "./tree-copy.js";

export class ProofLog {
  #path;
  #tree = hashOfFiles(filesOfTree(".").filter((file) => !file.startsWith("tools/take-away")));
  #proved;
  /** How long each test that passed may take without a rule, by its file. */
  baseline;

  /** Reads what is shown so far; a log that is not there yet is empty. */
  constructor(path) {
    this.#path = path;
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
    const shown = lines.flatMap(parsed);
    this.#proved = new Set(shown.map(({ hash }) => hash));
    const passed = shown.filter(({ tree }) => tree === this.#tree);
    this.baseline = new Map(passed.map(({ test, limits }) => [test, limits]));
    // A line that a stopped run left half written counts for nothing, and must not swallow the next one.
    if (lines.at(-1)) appendFileSync(path, "\n");
  }

  /** Whether an earlier run has proved the row of this hash. */
  hasProof(hash) {
    return this.#proved.has(hash);
  }

  /** Keeps that the test of this row noticed that the rule was gone, and how. */
  addProof({ rule, what }, hash, detail) {
    this.#add({ rule, what, hash, detail });
  }

  /** Keeps that a test passes with all rules in place. */
  addBaseline(test, limits) {
    this.#add({ test, tree: this.#tree, limits });
  }

  #add(line) {
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
  }
}

/** Of a row and of what its proof depends on. Taken before the run begins: the tree may be edited while it runs. */
export function hashOf(row) {
  return hashOfFiles([row.file, row.test].flatMap(filesBelow), JSON.stringify(row));
}

function hashOfFiles(files, first = "") {
  const hash = createHash("sha256").update(first);
  for (const path of files) hash.update(`\0${path}\0`).update(readFileSync(path));
  return hash.digest("base64url");
}

/** A row's test may be a folder of tests. A file that is not there has no text. */
function filesBelow(path) {
  if (!existsSync(path)) return [];
  return statSync(path).isDirectory()
    ? readdirSync(path)
        .sort()
        .flatMap((name) => filesBelow(join(path, name)))
    : [path];
}

function parsed(line) {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
