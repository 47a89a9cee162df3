// Which pages of the repository the site has, and where.
import { readdirSync } from "node:fs";
import { join } from "node:path";

/** The repository's README is no page: its links lead to the site's home page. */
export const HOME = "README.md";

const PAGES = {
  "site/index.md": "index.md",
  "docs/style.md": "project/style.md",
  "ARCHITECTURE.md": "project/architecture.md",
  "CHANGELOG.md": "project/changelog.md",
  "CONTRIBUTING.md": "project/contributing.md",
  "SECURITY.md": "project/security.md",
  "bench/README.md": "project/benchmarks.md",
  "bench/RESULTS.md": "project/benchmark-results.md",
};

const NOT_SOURCES = new Set(["node_modules", "dist", ".git"]);

/** Path in the repository -> path on the site. */
export function publishedPages(root) {
  const pages = new Map(Object.entries(PAGES));
  for (const folder of ["guides", "reference", "adr"])
    for (const path of markdownIn(root, `docs/${folder}`)) pages.set(path, path.slice("docs/".length));
  for (const path of markdownIn(root, "examples")) pages.set(path, path.replace("/README.md", ".md"));
  return pages;
}

/** Every other markdown file of the repository, which the generator would otherwise publish, too. */
export function otherPages(root, pages) {
  return markdownIn(root, "").filter((path) => !pages.has(path));
}

function markdownIn(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return NOT_SOURCES.has(entry.name) ? [] : markdownIn(root, path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}
