// Files stay small and their names say what is in them.
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { sourceFiles } from "./source-files.js";

const LINES_MAX = 400;
const NAMELESS = /^(utils?|helpers?|common|managers?|data|types|misc|shared)\.[jt]s$|(util|helper|manager)s?\.[jt]s$/i;

const files = sourceFiles(
  ["packages", "test", "tools", "bench", "site"].filter(existsSync),
  (path) => /\.(tsx?|js|css)$/.test(path) && !path.endsWith(".d.ts"),
);
const sizes = files.map((file) => readFileSync(file, "utf8").split("\n").length - 1);
const mistakes = files.flatMap((file, at) => [
  ...(sizes[at] > LINES_MAX ? [`${file}: ${sizes[at]} lines, at most ${LINES_MAX}`] : []),
  ...(NAMELESS.test(basename(file)) ? [`${file}: the name says nothing`] : []),
]);
for (const mistake of mistakes) console.error(mistake);
if (mistakes.length > 0 || files.length === 0) process.exit(1);
const sorted = sizes.toSorted((a, b) => a - b);
console.log(
  `sizes: ${files.length} files, median ${sorted[Math.floor(sorted.length / 2)]} lines, longest ${sorted.at(-1)}`,
);
