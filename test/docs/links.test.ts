/** Links of the documentation lead to files and headings that exist, in the repository as on the site. */
import { existsSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { anchorsOf, linksOf, pagesIn, readPage, root } from "./markdown-page.ts";

const pages = [
  "README.md",
  "SECURITY.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "site/index.md",
  ...pagesIn("docs"),
  ...pagesIn("examples"),
  ...pagesIn("bench"),
];

/** Why a link leads nowhere; undefined if it leads somewhere. Links to other sites are not followed. */
function mistakeIn(page: string, target: string, text?: string): string | undefined {
  if (/^(?:https?|mailto):/.test(target)) return undefined;
  const [file, anchor] = target.split("#") as [string, string | undefined];
  if (file === "") return anchorsOf(page, text).has(anchor ?? "") ? undefined : "no such heading";
  const path = normalize(join(dirname(page), decodeURI(file)));
  if (path.startsWith("..") || !existsSync(join(root, path))) return "no such file";
  // The site has a page or a file for each link, and no listing of a folder.
  if (statSync(join(root, path)).isDirectory()) return "a folder: link to a file in it";
  if (anchor === undefined) return undefined;
  if (!path.endsWith(".md")) return "an anchor of a file that is not a page";
  return anchorsOf(path).has(anchor) ? undefined : "no such heading";
}

function mistakesIn(page: string, text = readPage(page)): readonly string[] {
  return linksOf(page, text).flatMap(({ line, target }) => {
    const mistake = mistakeIn(page, target, text);
    return mistake === undefined ? [] : [`${page}:${line}: ${target}: ${mistake}`];
  });
}

it.each(pages)("%s links to what exists", (page) => {
  expect(mistakesIn(page)).toEqual([]);
});

it("every guide and every reference page is in the README's table of guides, which is the site's navigation", () => {
  const table = readPage("README.md").split("\n## Guides\n")[1]!.split("\n## ")[0]!;
  const linked = linksOf("README.md", table).map(({ target }) => target);
  const wanted = [...pagesIn("docs/guides"), ...pagesIn("docs/reference")];
  expect(linked.toSorted()).toEqual(wanted.toSorted());
});

describe("a page with mistakes", () => {
  const text = [
    "# One of a kind",
    "## `keys` & more",
    "## Twice",
    "## Twice",
    "[a](#one-of-a-kind) [b](#keys--more) [c](#twice-1) [d](../docs/style.md#style) ![e](../docs/images/first-minute.svg)",
    "`[not a link](nowhere.md)`",
    "```sh",
    "[not a link](nowhere.md)",
    "```",
    '[f](#twice-2) [g](nowhere.md) [h](../docs) [i](../docs/style.md#gone) <a href="../../etc">j</a>',
  ].join("\n");

  it("is reported with each of them, and nothing else", () => {
    expect(mistakesIn("examples/page.md", text)).toEqual([
      "examples/page.md:10: #twice-2: no such heading",
      "examples/page.md:10: nowhere.md: no such file",
      "examples/page.md:10: ../docs: a folder: link to a file in it",
      "examples/page.md:10: ../docs/style.md#gone: no such heading",
      "examples/page.md:10: ../../etc: no such file",
    ]);
  });
});
