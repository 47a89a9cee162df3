/** A page of the documentation, as the tests read it: its blocks of code, its links, and the anchors of its headings. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface CodeBlock {
  readonly page: string;
  /** Of its first line of code. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** The reason in `<!-- not run: … -->` directly before the block; null without one. */
  readonly notRun: string | null;
}

export interface Link {
  readonly line: number;
  readonly target: string;
}

/** Paths of all markdown files below a folder, from the repository's root. */
export function pagesIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => join(folder, path))
    .toSorted();
}

export function readPage(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

export function blocksOf(page: string, text = readPage(page)): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { language: string; line: number; notRun: string | null; lines: string[] } | null = null;
  let notRun: string | null = null;
  for (const [at, line] of text.split("\n").entries()) {
    if (open && line === "```") {
      blocks.push({ page, ...open, text: open.lines.map((one) => `${one}\n`).join("") });
      open = null;
      notRun = null;
    } else if (open) open.lines.push(line);
    else if (line.startsWith("```")) open = { language: line.slice(3), line: at + 2, notRun, lines: [] };
    else if (line !== "") notRun = /^<!-- not run: (\S.*) -->$/.exec(line)?.[1] ?? null;
  }
  if (open) throw new Error(`${page}:${open.line}: this block of code has no end`);
  return blocks;
}

/** Lines outside of blocks of code, without code spans. */
function proseOf(text: string): readonly (readonly [line: number, text: string])[] {
  let isCode = false;
  return text.split("\n").map((line, at) => {
    const isFence = line.trimStart().startsWith("```");
    if (isFence) isCode = !isCode;
    return [at + 1, isCode || isFence ? "" : line.replace(/`[^`]*`/g, "")];
  });
}

/** Links and pictures, also those of HTML. */
export function linksOf(page: string, text = readPage(page)): readonly Link[] {
  return proseOf(text).flatMap(([line, prose]) =>
    [...prose.matchAll(/\]\(([^()\s]+)(?:\s+"[^"]*")?\)|\b(?:href|src)="([^"]+)"/g)].map((found) => ({
      line,
      target: (found[1] ?? found[2])!,
    })),
  );
}

/** The anchors of a page's headings, as GitHub makes them: the second one of the same name ends with `-1`. */
export function anchorsOf(page: string, text = readPage(page)): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const heading of headingsOf(text)) {
    const name = heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-");
    let anchor = name;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${name}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

function headingsOf(text: string): readonly string[] {
  let isCode = false;
  return text.split("\n").flatMap((line) => {
    if (line.startsWith("```")) isCode = !isCode;
    // The text of a link, without its address.
    return isCode ? [] : (/^#{1,6} (.+)$/.exec(line)?.[1]?.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1") ?? []);
  });
}
