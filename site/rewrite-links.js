// Links in the sources are those of the repository. At the build, a link to a page becomes the page's address on the
// site, and a link to another file becomes the address of a copy that the build puts there.
import { existsSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";
import { HOME } from "./published-pages.js";

/** Where copies of linked files are on the site. */
const FILES = "files";

export class LinkRewriter {
  #root;
  #pages;
  #linked = new Set();

  constructor(root, pages) {
    this.#root = root;
    this.#pages = pages;
  }

  /** The files, by their path in the repository, that pages have linked to so far. */
  get linkedFiles() {
    return [...this.#linked];
  }

  /** The address, without the site's base, of what a page of the repository links to. Undefined: leave the link as it is. */
  addressOf(href, page) {
    if (/^[a-z][a-z0-9+.-]*:|^\/\/|^#|^\//i.test(href)) return undefined;
    const [target, anchor] = href.split("#");
    const path = normalize(join(dirname(page), decodeURI(target)));
    const hash = anchor === undefined ? "" : `#${anchor}`;
    if (path === HOME) return `/${hash}`;
    const published = this.#pages.get(path);
    if (published !== undefined) return `/${published.replace(/\.md$/, ".html")}${hash}`;
    if (path.startsWith("..") || !existsSync(join(this.#root, path)) || !statSync(join(this.#root, path)).isFile())
      throw new Error(`${page} links to ${href}, which is not a file of the repository`);
    this.#linked.add(path);
    return `/${LinkRewriter.copyOf(path)}`;
  }

  /** Where the copy of a file of the repository is on the site. Some hosts do not serve names that begin with a dot. */
  static copyOf(path) {
    return `${FILES}/${path.replace(/(^|\/)\./g, "$1")}`;
  }
}

/** A plugin of the generator's markdown parser. */
export function rewriteLinks(markdown, { rewriter, pages, base }) {
  const sources = new Map([...pages].map(([source, page]) => [page, source]));
  markdown.core.ruler.push("repository_links", ({ tokens, env }) => {
    const page = sources.get(env.relativePath) ?? env.relativePath;
    for (const token of tokens.flatMap((one) => one.children ?? [])) {
      if (token.type !== "link_open") continue;
      const address = rewriter.addressOf(token.attrGet("href"), page);
      if (address === undefined) continue;
      token.attrSet("href", address);
      // The copy of a file is no page: the browser loads it, not the site's router.
      if (address.startsWith(`/${FILES}/`)) {
        token.attrSet("href", base.replace(/\/$/, "") + address);
        token.attrSet("target", "_self");
      }
    }
  });
}
