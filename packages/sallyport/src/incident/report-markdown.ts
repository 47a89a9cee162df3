/** A report as Markdown (CommonMark with GitHub's tables and task lists). The picture is in the HTML; here its marks are a list. */
import { markdownText as md, plainText } from "./hostile-text.ts";
import { minute } from "./report.ts";
import type { Report, Section } from "./report.ts";
import { drawTimeline } from "./timeline-svg.ts";

export function formatMarkdown(report: Report): string {
  const { marks } = drawTimeline(report.timeline, report.from, report.to);
  return [
    `# ${md(report.title)}`,
    ...report.summary.map(md),
    tableOf(
      ["", ""],
      report.facts.map(([name, value]) => [name, value]),
    ),
    "## What to do",
    report.remedies.map(({ says, commands }) => [`- [ ] ${md(says)}`, ...codeOf(commands)].join("\n")).join("\n"),
    "## Timeline",
    "The picture is in report.html.",
    marks.map(({ number, at, says }) => `${number}. ${minute(at)}: ${md(says)}`).join("\n"),
    ...report.sections.flatMap(sectionOf),
  ]
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n");
}

function sectionOf({ title, says, head, rows, more }: Section): string[] {
  return [`## ${md(title)}`, md(says), rows.length === 0 ? "" : tableOf(head, rows), md(more)];
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(md).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

/** Indented under its task, fenced with more than a command can hold. */
function codeOf(commands: readonly string[]): string[] {
  if (commands.length === 0) return [];
  return ["", "  ~~~~sh", ...commands.map((command) => `  ${plainText(command)}`), "  ~~~~"];
}
