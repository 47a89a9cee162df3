/** Every shell block of the guides is run by a test, or is only calls that the program's parser accepts, or says why not. */
import { describe, expect, it } from "vitest";
import { blocksOf, pagesIn, readPage } from "./markdown-page.ts";
import type { CodeBlock } from "./markdown-page.ts";
import { executedBlocks, executedElsewhere } from "./executed-blocks.ts";
import { mistakeIn } from "./parsed-call.ts";
import { callsIn, commandsOf, isCallAlone } from "./shell-words.ts";

const SHELLS = ["sh", "bash", "shell", "console"];
const isShell = ({ language }: CodeBlock): boolean => SHELLS.includes(language);
const guides = ["README.md", ...pagesIn("docs/guides")];
const others = [...pagesIn("examples"), "CONTRIBUTING.md"];
const blocks = guides.flatMap((page) => blocksOf(page)).filter(isShell);

async function mistakesIn(block: CodeBlock): Promise<readonly string[]> {
  const mistakes = await Promise.all(commandsOf(block.text).flatMap(callsIn).map(mistakeIn));
  return mistakes
    .filter((mistake) => mistake !== undefined)
    .map((mistake) => `${block.page}:${block.line}: ${mistake}`);
}

describe.each([...guides, ...others])("%s", (page) => {
  it("calls the program as its parser accepts it", async () => {
    const found = await Promise.all(blocksOf(page).filter(isShell).map(mistakesIn));
    expect(found.flat()).toEqual([]);
  });
});

/** How a block is verified; undefined if it is not. */
function proofOf(block: CodeBlock): string | undefined {
  const begins = ({ page, begins: start }: { page: string; begins: string }): boolean =>
    page === block.page && block.text.startsWith(start);
  if (executedBlocks.some(begins)) return "run";
  if (executedElsewhere.some(begins)) return "run by another test";
  if (block.notRun !== null) return "marked";
  return commandsOf(block.text).every(isCallAlone) ? "parsed" : undefined;
}

it("each block is run, parsed or marked", () => {
  const unproven = blocks.filter((block) => proofOf(block) === undefined);
  expect(unproven.map(({ page, line, text }) => `${page}:${line}: ${text}`)).toEqual([]);
  expect(blocks.length).toBeGreaterThan(80);
});

it("a mark is before a block that needs it, and says why", () => {
  const marked = guides.flatMap((page) => blocksOf(page)).filter(({ notRun }) => notRun !== null);
  const needless = marked.filter((block) => !isShell(block) || commandsOf(block.text).every(isCallAlone));
  expect(needless.map(({ page, line }) => `${page}:${line}`)).toEqual([]);
  for (const { notRun } of marked) expect(notRun!.length).toBeGreaterThan(8);
  const marks = guides.reduce((sum, page) => sum + readPage(page).split("<!-- not run:").length - 1, 0);
  expect(marked.length).toBe(marks);
});

it("each row of the tables is one block of its page", () => {
  for (const { page, begins } of [...executedBlocks, ...executedElsewhere]) {
    const found = blocksOf(page).filter((block) => isShell(block) && block.text.startsWith(begins));
    expect([page, begins, found.length]).toEqual([page, begins, 1]);
  }
});

it.each(executedElsewhere)(
  "$test runs the block of $page that begins with $begins",
  ({ page, begins, test, finds }) => {
    expect(blocksOf(page).find((block) => block.text.startsWith(begins))!.text).toContain(finds);
    expect(readPage(test)).toContain(`"${finds}"`);
  },
);

describe("what the parser rejects", () => {
  it.each([
    ["sallyport keys frobnicate"],
    ["sallyport keys create --env dev --nmae x"],
    ["sallyport keys show"],
    ["sallyport keys show a b"],
    ["npx sallyport status --jsno"],
    ["sudo -u sallyport sallyport statu --data /var/lib/sallyport"],
    ["sallyport audit keys | sallyport audit verifi -"],
    ["source <(sallyport completion tcsh)"],
  ])("%s", async (command) => {
    const block = { page: "a page", line: 1, language: "sh", text: `${command}\n`, notRun: null };
    expect(await mistakesIn(block)).toHaveLength(1);
  });

  it("a block that does more than call the program is not proven by its calls", () => {
    const text = (command: string): CodeBlock => ({
      page: "a page",
      line: 1,
      language: "sh",
      text: command,
      notRun: null,
    });
    expect(proofOf(text("sallyport status\n# a comment\nsallyport keys list > 'a # file'\n"))).toBe("parsed");
    for (const more of [
      "curl http://x",
      "sallyport status && rm x",
      "sallyport keys show $(cat id)",
      "sudo sallyport status",
    ])
      expect(proofOf(text(`${more}\n`))).toBeUndefined();
  });
});
