// The words of what people read (`npm run check:words`): each term that has a standard name in the field is written by it,
// and sentences are built as `docs/style.md` says. Pages and folders are held to it once they have been rewritten; the list
// only grows. What a line may say all the same stands in ALLOWED, with the reason.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseAst } from "rolldown/parseAst";
import { ALLOWED, REWRITTEN, WORDS } from "./words.js";

const SQL = /\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|PRAGMA|WHERE)\b/;

const mistakes = [];
let count = 0;
// A new package or folder is held from its first line on.
const folders = sourceFolders();
for (const folder of folders)
  if (!REWRITTEN.some((place) => folder === place || folder.startsWith(`${place}/`)))
    mistakes.push(`${folder}: is not in REWRITTEN (tools/words.js)`);
for (const path of REWRITTEN.flatMap(filesAt))
  for (const { line, text } of path.endsWith(".md") ? proseOf(path) : spokenIn(path)) {
    count++;
    for (const { not, but } of WORDS.filter((one) => !one.allowedIn?.some((folder) => path.startsWith(folder))))
      for (const [found] of text.matchAll(not))
        if (!ALLOWED.some((one) => path.endsWith(one.file) && text.includes(one.text)))
          mistakes.push(`${path}:${line}: "${found}": ${but}`);
  }
for (const mistake of mistakes) console.error(mistake);
if (mistakes.length > 0 || count === 0) process.exit(1);
console.log(`words: ${count} paragraphs, help texts and comments in ${REWRITTEN.length} places`);

/** Of packages, and of the program each folder. */
function sourceFolders() {
  const program = "packages/sallyport/src";
  return [
    ...readdirSync("packages")
      .map((name) => `packages/${name}/src`)
      .filter((path) => path !== program),
    ...readdirSync(program, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${program}/${name}`),
  ];
}

function filesAt(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? filesAt(join(path, entry.name))
      : /\.(md|tsx?)$/.test(entry.name) && !entry.name.endsWith(".test.ts")
        ? [join(path, entry.name)]
        : [],
  );
}

/** Lines of a page without code, code spans, links' addresses and HTML. */
function proseOf(path) {
  let isCode = false;
  return readFileSync(path, "utf8")
    .split("\n")
    .map((text, at) => {
      if (text.trimStart().startsWith("```")) {
        isCode = !isCode;
        return { line: at + 1, text: "" };
      }
      const bare = text.replace(/`[^`]*`/g, "").replace(/\]\([^)]*\)/g, "]");
      return { line: at + 1, text: isCode ? "" : bare };
    })
    .filter(({ text }) => text.trim() !== "");
}

/** Comments of a source, and its texts that look like sentences: three words or more. */
function spokenIn(path) {
  const source = readFileSync(path, "utf8");
  const lineOf = (offset) => source.slice(0, offset).split("\n").length;
  const texts = [];
  const comment = /\/\*\*?[\s\S]*?\*\/|(?<=^|\s)\/\/ .*/g;
  for (const match of source.matchAll(comment)) texts.push({ line: lineOf(match.index), text: plain(match[0]) });
  const note = ({ start }, text) => {
    const isSentence = typeof text === "string" && /\S+ \S+ \S+/.test(text) && !SQL.test(text);
    if (isSentence) texts.push({ line: lineOf(start), text });
  };
  walk(parseAst(source, { lang: path.endsWith("x") ? "tsx" : "ts" }), (node) => {
    if (node.type === "Literal") note(node, node.value);
    if (node.type === "JSXText") note(node, node.value.replace(/\s+/g, " "));
    // Its pieces are one text: a word that stands between two values would be no sentence alone.
    if (node.type === "TemplateLiteral") note(node, node.quasis.map(({ value }) => value.cooked).join("…"));
  });
  return texts;
}

function plain(comment) {
  return comment.replace(/`[^`]*`/g, "").replace(/\s*\n\s*\*?\s*/g, " ");
}

function walk(node, visit) {
  if (Array.isArray(node)) for (const item of node) walk(item, visit);
  else if (typeof node === "object" && node !== null) {
    if (typeof node.type === "string") visit(node);
    for (const value of Object.values(node)) walk(value, visit);
  }
}
