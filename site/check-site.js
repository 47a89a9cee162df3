// Checks the built site: each internal link leads to a page and to an anchor on it, and no page, style or script loads
// anything from another origin. Links to other sites are listed, not requested.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";

const dist = join(dirname(fileURLToPath(import.meta.url)), "dist");
const base = process.env.SITE_BASE ?? "/";

/** Elements whose address is only followed, when a reader asks for it. */
const FOLLOWED = new Set(["a", "area"]);
const TAG = /<([a-z][a-z0-9-]*)((?:\s+[^\s"'<>/=]+(?:="[^"]*")?)*)\s*\/?>/g;
const ADDRESS = /\s(?:href|src|srcset|data|action|poster|xlink:href)="([^"]*)"/g;
const IDENTIFIER = /\sid="([^"]+)"/g;
const FOREIGN = /^(?:https?:)?\/\//;
const FOREIGN_IN_STYLE = /(?:url\(\s*["']?|@import\s+["'])(?:https?:)?\/\//g;
/** A script's own ways to load: a module, a style, a request. Addresses in texts are not loaded. */
const FOREIGN_IN_SCRIPT = /(?:\bimport\s*\(?\s*|\bfetch\(\s*|\bfrom\s*|\bsrc\s*=\s*)["'`](?:https?:)?\/\//g;

const files = filesIn(dist);
const pages = new Map(
  files.filter((path) => path.endsWith(".html")).map((path) => [path, readFileSync(join(dist, path), "utf8")]),
);
const anchors = new Map(
  [...pages].map(([path, html]) => [path, new Set([...html.matchAll(IDENTIFIER)].map(([, id]) => id))]),
);
const mistakes = [];
const foreign = new Set();
let count = 0;

for (const [page, html] of pages) {
  if (html.match(FOREIGN_IN_STYLE)) mistakes.push(`${page}: a style loads from another origin`);
  for (const [, element, attributes] of html.matchAll(TAG))
    for (const [, written] of attributes.matchAll(ADDRESS)) note(page, element, unescaped(written));
}
for (const path of files.filter((path) => /\.(?:css|js)$/.test(path))) {
  const found = readFileSync(join(dist, path), "utf8").match(
    path.endsWith(".css") ? FOREIGN_IN_STYLE : FOREIGN_IN_SCRIPT,
  );
  if (found) mistakes.push(`${path}: loads from another origin: ${[...new Set(found)].join(", ")}`);
}

if (process.argv.includes("--external"))
  for (const address of [...foreign].toSorted((a, b) => (a < b ? -1 : 1))) console.log(address);
for (const mistake of mistakes) console.error(mistake);
if (mistakes.length > 0 || count === 0) process.exit(1);
console.log(`site: ${pages.size} pages, ${count} internal links lead somewhere, ${foreign.size} links to other sites`);

function note(page, element, address) {
  if (/^(?:mailto|data):/.test(address)) return;
  if (FOREIGN.test(address)) {
    if (FOLLOWED.has(element)) foreign.add(address);
    else mistakes.push(`${page}: <${element}> loads ${address}`);
    return;
  }
  count++;
  const mistake = mistakeIn(page, address);
  if (mistake !== undefined) mistakes.push(`${page}: ${address}: ${mistake}`);
}

function mistakeIn(page, address) {
  const [target, anchor] = address.split("#");
  let path = page;
  if (target.startsWith("/")) {
    if (!target.startsWith(base)) return `is outside of ${base}`;
    path = target.slice(base.length);
  } else if (target !== "") path = posix.join(posix.dirname(page), target);
  path = decodeURI(path.replace(/\?.*$/, ""));
  if (path === "" || path.endsWith("/")) path += "index.html";
  if (!existsSync(join(dist, path)) || !statSync(join(dist, path)).isFile()) return "no such file";
  if (anchor && !anchors.get(path)?.has(decodeURIComponent(anchor))) return "no such anchor";
  return undefined;
}

function unescaped(text) {
  return text.replaceAll("&amp;", "&").replaceAll("&quot;", '"').replaceAll("&#39;", "'");
}

function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path) : [relative(dist, path)];
  });
}
