// Writes the rules for other scanners into `deploy/rules/`: `node tools/make-rule-packs.js`, after a build. With `--check`
// it writes nothing, and fails if a file differs.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rulePacks } from "./rule-packs/packs.js";

const folder = "deploy/rules";
const isCheck = process.argv.includes("--check");
let differing = 0;
for (const [name, text] of Object.entries(rulePacks)) {
  const path = join(folder, name);
  if (!isCheck) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, text);
  } else if (textOf(path) !== text) {
    differing++;
    console.error(`${path} differs: run \`node tools/make-rule-packs.js\``);
  }
}
if (differing > 0) process.exit(1);

function textOf(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
