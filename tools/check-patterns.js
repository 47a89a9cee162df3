// Every regular expression of the program is checked for its worst case: a pattern that backtracks exponentially or
// polynomially turns a caller's text into unbounded work on the request's thread. `recheck` finds such patterns by automata
// and by fuzzing. A pattern built at run time cannot be checked, so it is rejected as well.
import { readFileSync } from "node:fs";
import { sourceFiles } from "./source-files.js";
import { parseAst } from "rolldown/parseAst";
import { checkSync } from "recheck";

/** Patterns with a polynomial worst case, each with the bound on its input that keeps it harmless. */
const BOUNDED = new Map([]);

const files = sourceFiles(["packages"], (path) => /\.tsx?$/.test(path) && !/\.(test|d)\.ts$/.test(path));

const mistakes = [];
const verdicts = new Map();
for (const file of files) {
  const text = readFileSync(file, "utf8");
  walk(parseAst(text, { lang: file.endsWith("x") ? "tsx" : "ts" }), (node) => {
    if (node.type === "Literal" && node.regex) judge(file, lineOf(text, node.start), node.regex);
    const made = (node.type === "NewExpression" || node.type === "CallExpression") && node.callee.name === "RegExp";
    if (made) mistakes.push(`${file}:${lineOf(text, node.start)}: a pattern is built at run time; write a literal`);
  });
}

function judge(file, line, { pattern, flags }) {
  const literal = `/${pattern}/${flags}`;
  let verdict = verdicts.get(literal);
  if (verdict === undefined) {
    verdict = verdictOf(pattern, flags);
    verdicts.set(literal, verdict);
  }
  if (verdict.status === "safe" || BOUNDED.has(literal)) return;
  mistakes.push(
    `${file}:${line}: ${literal} is ${verdict.status}: ${verdict.complexity?.summary ?? "no verdict in time"}`,
  );
}

/**
 * An attack that was found is tried out against the clock, which a busy machine can fail by itself: what really backtracks
 * does so three times.
 */
function verdictOf(pattern, flags) {
  let verdict;
  for (let i = 0; i < 3; i++) {
    verdict = checkSync(pattern, flags.replace("v", "u"), { timeout: 20_000 });
    if (i === 0 && verdict.status === "safe") return verdict;
    if (i > 0 && verdict.status !== "safe") return verdict;
  }
  return verdict;
}

function walk(node, visit) {
  if (Array.isArray(node)) for (const item of node) walk(item, visit);
  else if (typeof node === "object" && node !== null) {
    if (typeof node.type === "string") visit(node);
    for (const value of Object.values(node)) walk(value, visit);
  }
}

function lineOf(text, offset) {
  return text.slice(0, offset).split("\n").length;
}

for (const mistake of mistakes) console.error(mistake);
if (mistakes.length > 0 || verdicts.size === 0) process.exit(1);
console.log(`patterns: ${verdicts.size} regular expressions, none backtracks`);
