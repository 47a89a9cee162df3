/** A review as one page without scripts, images or links to other hosts. Every text in it may be hostile. */
import { escapeHtml } from "../../kernel/html-text.ts";
import { visibleLine } from "../../kernel/visible-text.ts";
import type { ExportedLine, ReviewerFiguresView } from "@sallyport/contract";
import type { ReviewDocument } from "./review-export.ts";

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:80rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:left;padding:.3rem .5rem;border-bottom:1px solid #ccc;vertical-align:top;overflow-wrap:anywhere}.bad{color:#a00;font-weight:600}code{overflow-wrap:anywhere}";
/** A browser shows no more; the other files have all of them. */
const LINES_MAX = 5_000;

export function reviewHtml({ review, lines, clauses }: ReviewDocument): string {
  const { result } = review;
  const named = result?.figures.filter(({ signs }) => signs.length > 0) ?? [];
  const shown = lines.slice(0, LINES_MAX);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Access review ${plainHtml(review.id)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Access review ${plainHtml(review.id)}</h1>
${tableHtml([], [
  ["Environment", review.environment],
  ["Scope", review.scope],
  ["Started", `${review.startedAt} by ${review.startedBy}${review.schedule === null ? "" : ` (schedule ${review.schedule})`}`],
  ["Due", review.due],
  ["Closed", `${review.closedAt ?? "-"} by ${review.closedBy ?? "-"}`],
  ["Population", `${review.entries} entries, SHA-256 ${review.populationHash}`],
  ["Lines", `${review.lines}, of which ${lines.filter(({ isCanary }) => isCanary).length} canary lines`],
  ["Decided", String(review.decided)],
  ["Without a decision", String(review.ended)],
])}
<h2>Outcomes</h2>
${tableHtml(["Outcome", "Lines"], Object.entries(result?.counts ?? {}).map(([what, count]) => [what, String(count)]))}
<h2>Reviewers</h2>
${
  named.length === 0
    ? "<p>No reviewer shows signs of decisions without a look at the evidence.</p>"
    : `<p class="bad">Signs of decisions without a look at the evidence: ${named.map(({ name, signs }) => `${plainHtml(name)} (${plainHtml(signs.join("; "))})`).join(", ")}.</p>`
}
${tableHtml(["Reviewer", "Actor", "Decided", "Kept", "Evidence opened", "Median time shown", "Canary lines kept", "Signs"], (result?.figures ?? []).map(figuresRow))}
<h2>Lines</h2>
${lines.length > shown.length ? `<p>The first ${shown.length} of ${lines.length}; lines.csv and report.json have all.</p>` : ""}
${tableHtml(["Line", "Subject", "Name", "Owner", "Risks", "Reviewer", "Decision", "Reason", "Outcome"], shown.map(lineRow))}
<h2>What the standards ask</h2>
${tableHtml(["Standard", "Clause", "Asks that", "Shown by"], clauses.map(({ standard, clause, asks, shown: by }) => [standard, clause, asks, by]))}
<p>Verify this report, offline: <code>sallyport review verify DIR</code></p>
</body>
</html>
`; // prettier-ignore
}

function figuresRow(one: ReviewerFiguresView): string[] {
  const { name, actor, decided, kept, opened, medianShownMs, canariesKept, canariesSeen, signs } = one;
  const median = medianShownMs === null ? "-" : `${medianShownMs / 1_000} s`;
  const seen = `${canariesKept} of ${canariesSeen}`;
  return [name, actor, String(decided), String(kept), String(opened), median, seen, signs.join("; ")];
}

function lineRow(one: ExportedLine): string[] {
  const { decision, outcome } = one;
  return [
    `${one.line}${one.isCanary ? " (canary)" : ""}`,
    one.subject,
    one.name,
    one.owner ?? "-",
    one.risks.join(", "),
    decision?.by ?? one.assignedTo ?? "-",
    decision?.decision ?? "none",
    decision?.reason ?? "-",
    outcome === null ? "-" : `${outcome.what}: ${outcome.says}`,
  ];
}

function tableHtml(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const head =
    heading.length === 0
      ? ""
      : `<thead><tr>${heading.map((cell) => `<th>${plainHtml(cell)}</th>`).join("")}</tr></thead>\n`;
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${plainHtml(cell)}</td>`).join("")}</tr>`).join("\n");
  return `<table>\n${head}<tbody>\n${body}\n</tbody>\n</table>`;
}

function plainHtml(text: string): string {
  return escapeHtml(visibleLine(text));
}
