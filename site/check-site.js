// Checks the built site: each internal link leads to a page and to an anchor on it, and no page, style or script loads
// anything from another origin. Links to other sites are listed, not requested.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";

const dist = join(dirname(fileURLToPath(import.meta.url)), "dist");
const base = process.env.SITE_BASE ?? "/";

/** Elements whose address the browser loads by itself; a link is only followed. */
const LOADED = new Set(["script", "img", "link", "source", "iframe", "video", "audio", "embed", "object", "use"]);
const ADDRESS = /<([a-z]+)\s[^<>]*?\b(?:href|src|srcset|data)="([^"]*)"/g;
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

for (const [page, html] of pages)
  for (const [, element, written] of html.matchAll(ADDRESS)) {
    const address = unescaped(written);
    if (FOREIGN.test(address)) {
      if (LOADED.has(element)) mistakes.push(`${page}: <${element}> loads ${address}`);
      else foreign.add(address);
    } else if (/^(?:mailto|data):/.test(address)) continue;
    else {
      count++;
      const mistake = mistakeIn(page, address);
      if (mistake !== undefined) mistakes.push(`${page}: ${address}: ${mistake}`);
    }
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
