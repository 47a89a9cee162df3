// The site is made of the repository's own pages. Nothing is copied by hand, and nothing comes from another origin.
import { cpSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { anchorOf } from "../anchor-of.js";
import { readNavigation } from "../navigation.js";
import { otherPages, publishedPages } from "../published-pages.js";
import { LinkRewriter, rewriteLinks } from "../rewrite-links.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = publishedPages(root);
const rewriter = new LinkRewriter(root, pages);
/** Where the site is below its host, such as `/sallyport/`. */
const base = process.env.SITE_BASE ?? "/";

export default {
  title: "Sallyport",
  description: "Security gateway for Ollama and other local model servers: API keys, permissions, audit log",
  lang: "en",
  base,
  srcDir: "..",
  outDir: "dist",
  cacheDir: "node_modules/.vitepress",
  srcExclude: otherPages(root, pages),
  rewrites: Object.fromEntries(pages),
  markdown: {
    // An address in a sentence is an example, not a link; links are written as links.
    linkify: false,
    anchor: { slugify: anchorOf },
    config: (markdown) => rewriteLinks(markdown, { rewriter, pages, base }),
  },
  vite: { plugins: [resolveFromHere()] },
  themeConfig: {
    ...readNavigation(root, pages),
    outline: [2, 3],
    search: { provider: "local" },
    footer: { message: "Licensed under Apache-2.0." },
  },
  // The reference consists of wide tables: they get the place of the page's outline.
  transformPageData(page) {
    if (page.relativePath.startsWith("reference/")) page.frontmatter.aside = false;
  },
  buildEnd({ outDir }) {
    for (const path of rewriter.linkedFiles) {
      const copy = join(outDir, LinkRewriter.copyOf(path));
      mkdirSync(dirname(copy), { recursive: true });
      cpSync(join(root, path), copy);
    }
  },
};

/**
 * The pages are outside this folder, so the packages that their code imports are not found from where they are. What
 * renders them during the build (`ssr`) is written below this folder and finds them at run time.
 */
function resolveFromHere() {
  return {
    name: "resolve-from-here",
    enforce: "pre",
    resolveId(id, importer, { ssr, ...options }) {
      if (id !== "vue" && id !== "vue/server-renderer") return null;
      if (ssr) return { id, external: true };
      return this.resolve(id, fileURLToPath(import.meta.url), { ...options, skipSelf: true });
    },
  };
}
