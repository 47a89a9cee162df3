// The navigation, from the table of guides in the README: one table is the order of both.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HOME } from "./published-pages.js";

const PROJECT = [
  ["Architecture", "ARCHITECTURE.md"],
  ["Security", "SECURITY.md"],
  ["Benchmarks", "bench/README.md"],
  ["Contributing", "CONTRIBUTING.md"],
  ["Style", "docs/style.md"],
  ["Changelog", "CHANGELOG.md"],
];

export function readNavigation(root, pages) {
  const link = (text, path) => {
    const page = pages.get(path);
    if (page === undefined) throw new Error(`the navigation names ${path}, which is not a page of the site`);
    return { text, link: `/${page.replace(/\.md$/, ".html")}` };
  };
  const groups = readGuideTable(readFileSync(join(root, HOME), "utf8")).map(({ title, links }) => ({
    text: title,
    collapsed: false,
    items: links.map(([text, path]) => link(text.charAt(0).toUpperCase() + text.slice(1), path)),
  }));
  const decisions = readdirSync(join(root, "docs/adr"))
    .toSorted()
    .map((name) => link(/^# (.+)$/m.exec(readFileSync(join(root, "docs/adr", name), "utf8"))[1], `docs/adr/${name}`));
  const project = PROJECT.map(([text, path]) => link(text, path));
  return {
    nav: groups.map(({ text, items }) => ({ text, link: items[0].link, activeMatch: activeIn(items) })),
    // The decisions have a list of their pages to themselves: it is long, and only their readers need it.
    sidebar: {
      "/": [
        ...groups,
        { text: "Project", collapsed: false, items: [...project, { text: "Decisions", link: decisions[0].link }] },
      ],
      "/adr/": [{ text: "Decisions", items: decisions }],
    },
  };
}

/** The columns of the table below "## Guides": their titles, and their links from top to bottom. */
export function readGuideTable(readme) {
  const section = readme.split(/^## /m).find((text) => text.startsWith("Guides\n"));
  const [titles, , ...rows] = section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1));
  return titles.map((title, column) => ({
    title: title.trim(),
    links: rows.flatMap((row) =>
      [...row[column].matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)].map(([, text, path]) => [text, path]),
    ),
  }));
}

function activeIn(items) {
  return `^(?:${items.map(({ link }) => link.replace(/[.]/g, "\\.")).join("|")})$`;
}
