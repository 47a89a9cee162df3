// What one row changes: its source, and the built file made of that source. Types are only stripped (CONTRIBUTING), so
// one file can be built without the others. An edit that does not parse, or that uses a name nobody defines, would make
// any test fail: it is broken, and shows nothing about the rule.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { transformSync } from "rolldown/utils";

const SOURCE = /^(packages\/[^/]+)\/src\/(.+)\.ts$/;

/** The built file of a source, both relative to the root; undefined for a file that is not built. */
export function builtFile(file) {
  return SOURCE.test(file) && !file.endsWith(".test.ts") ? file.replace(SOURCE, "$1/dist/$2.js") : undefined;
}

/** JavaScript as `tsc -b` writes it, near enough: the baseline runs on it, too. Throws when the text does not parse. */
export function stripTypes(file, text) {
  const { code, errors } = transformSync(file, text, {
    lang: "ts",
    target: "es2022",
    tsconfig: false,
    typescript: { rewriteImportExtensions: "rewrite", onlyRemoveTypeImports: true },
  });
  if (errors.length === 0) return code;
  throw new SyntaxError(stripVTControlCharacters(errors[0].message).split("\n")[0].trim());
}

/**
 * Every row with what its edit does: `{ row, edits: [{ path, text }] }`, or `{ row, why, detail }` where nothing can be
 * shown: "stale" (the code is not there, or in several places) or "broken" (the edited file cannot be loaded).
 */
export function editRows(rows, root = ".") {
  const edited = rows.map((row) => editRow(row, root));
  const undefinedNames = findUndefinedNames(edited);
  return edited.map((one, at) => {
    const names = undefinedNames.get(at);
    return names === undefined ? one : { row: one.row, why: "broken", detail: `uses what is not defined: ${names}` };
  });
}

function editRow(row, root) {
  const { file, from, to } = row;
  let text;
  try {
    text = readFileSync(join(root, file), "utf8");
  } catch {
    return { row, why: "stale", detail: `there is no ${file}` };
  }
  if (!existsSync(join(root, row.test))) return { row, why: "stale", detail: `there is no test ${row.test}` };
  // Without this check, only a full run would notice that a test was renamed.
  if (row.named !== undefined && !readFileSync(join(root, row.test), "utf8").includes(row.named))
    return { row, why: "stale", detail: `${row.test} has no test named ${row.named}` };
  const places = text.split(from).length - 1;
  if (places === 0) return { row, why: "stale", detail: `the code to take away is not in ${file}` };
  if (places > 1) return { row, why: "stale", detail: `the code to take away is ${places} times in ${file}` };
  const without = text.replace(from, () => to);
  const built = builtFile(file);
  if (built === undefined) return { row, edits: [{ path: file, text: without }] };
  try {
    const edits = [
      { path: file, text: without },
      { path: built, text: stripTypes(file, without) },
    ];
    return { row, edits };
  } catch (error) {
    return { row, why: "broken", detail: `the edit does not parse: ${error.message}` };
  }
}

/** The undefined names of each built edit, by its place in the list; the linter reads all of them in one run. */
function findUndefinedNames(edited) {
  if (!edited.some(({ edits }) => edits !== undefined)) return new Map();
  const folder = mkdtempSync(join(tmpdir(), "take-away-lint-"));
  try {
    mkdirSync(join(folder, "edits"));
    for (const [at, { edits }] of edited.entries())
      if (edits !== undefined) writeFileSync(join(folder, "edits", `${at}.js`), edits.at(-1).text);
    const configuration = { categories: { correctness: "off" }, rules: { "no-undef": "error" }, env: { node: true } };
    writeFileSync(join(folder, "lint.json"), JSON.stringify(configuration));
    const oxlint = join(dirname(createRequire(import.meta.url).resolve("oxlint/package.json")), "bin/oxlint");
    const words = [oxlint, "-c", "lint.json", "--format", "json", "edits"];
    const { stdout } = spawnSync(process.execPath, words, { cwd: folder, encoding: "utf8", maxBuffer: 64 << 20 });
    const names = new Map();
    for (const { filename, message } of JSON.parse(stdout).diagnostics) {
      const at = Number(/(\d+)\.js$/.exec(filename)[1]);
      names.set(at, [...(names.get(at) ?? []), message]);
    }
    return new Map([...names].map(([at, messages]) => [at, [...new Set(messages)].join(" ")]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
