// What earlier runs have proved, so that a run that was stopped can go on: a file of one JSON line for each proved rule.
// A line counts as long as its row, the file the row edits and the row's test are what they were. What else the test
// imports may have changed since: a run that has to judge a release starts with a new file.
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export class ProofLog {
  #path;
  #proved;

  /** Reads what is proved so far; a log that is not there yet is empty. */
  constructor(path) {
    this.#path = path;
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
    this.#proved = new Set(lines.flatMap(hashOfLine));
    // A line that a stopped run left half written counts for nothing, and must not swallow the next one.
    if (lines.at(-1)) appendFileSync(path, "\n");
  }

  /** Whether an earlier run has proved the row of this hash. */
  has(hash) {
    return this.#proved.has(hash);
  }

  /** Keeps that the test of this row noticed that the rule was gone, and by which failure. */
  add(row, hash, detail) {
    const { rule, what } = row;
    appendFileSync(this.#path, `${JSON.stringify({ rule, what, hash, detail })}\n`);
  }
}

/** Of a row and of what its proof depends on. Taken before the run begins: the tree may be edited while it runs. */
export function hashOf(row) {
  const hash = createHash("sha256").update(JSON.stringify(row));
  for (const path of [row.file, row.test].flatMap(filesBelow)) hash.update(`\0${path}\0`).update(readFileSync(path));
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

function hashOfLine(line) {
  try {
    return [JSON.parse(line).hash];
  } catch {
    return [];
  }
}
