/**
 * A report as one HTML file: no script, nothing from elsewhere, readable in light and dark and on paper. A policy in its
 * head (CSP) lets a browser load nothing and run nothing, whatever a name in it may be; the style is let in by its hash.
 */
import { createHash } from "node:crypto";
import { htmlText as h } from "./hostile-text.ts";
import { minute, spanText } from "./report.ts";
import type { Remedy, Report, Section } from "./report.ts";
import { REPORT_STYLE } from "./report-style.ts";
import { drawTimeline } from "./timeline-svg.ts";

const STYLE_HASH = createHash("sha256").update(REPORT_STYLE).digest("base64");
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'`;

export function formatHtml(report: Report): string {
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">',
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">',
    `<title>${h(report.title)}</title><style>${REPORT_STYLE}</style></head><body>`,
    `<h1>${h(report.title)}</h1>`,
    `<section class="summary">${report.summary.map((sentence) => `<p>${h(sentence)}</p>`).join("\n")}</section>`,
    `<dl>${report.facts.map(([name, value]) => `<div><dt>${h(name)}</dt><dd>${h(value)}</dd></div>`).join("\n")}</dl>`,
    ...pictureOf(report),
    "<h2>What to do</h2>",
    `<ul class="remedies">${report.remedies.map(remedyOf).join("\n")}</ul>`,
    ...report.sections.map(sectionOf),
    "</body></html>",
    "",
  ].join("\n");
}

function pictureOf({ timeline, from, to }: Report): string[] {
  const { svg, legend, marks } = drawTimeline(timeline, from, to);
  const width = spanText(timeline.bucketMs);
  return [
    `<h2>Timeline</h2><figure>${svg}<figcaption>Requests in each ${h(width)}, by address; below, those of them that were refused. Times are UTC.`,
    ...legend.map(({ colour, address, count }) => `<span class="key ${colour}">${h(address)} (${count})</span>`),
    '<span class="key rest">other addresses</span></figcaption></figure>',
    `<ol class="marks">${marks.map(({ at, says }) => `<li>${h(minute(at))} ${h(says)}</li>`).join("\n")}</ol>`,
  ];
}

function remedyOf({ says, commands }: Remedy, at: number): string {
  const code = commands.length === 0 ? "" : `<pre>${commands.map(h).join("\n")}</pre>`;
  return `<li><input type="checkbox" id="r${at}"><label for="r${at}">${h(says)}</label>${code}</li>`;
}

function sectionOf({ title, says, head, rows, more }: Section): string {
  const cells = (row: readonly string[], tag: string): string =>
    `<tr>${row.map((cell) => `<${tag}>${h(cell)}</${tag}>`).join("")}</tr>`;
  const table = `<div class="wide"><table><thead>${cells(head, "th")}</thead><tbody>${rows.map((row) => cells(row, "td")).join("\n")}</tbody></table></div>`;
  return [
    `<h2>${h(title)}</h2>`,
    says === "" ? "" : `<p class="says">${h(says)}</p>`,
    rows.length === 0 ? "" : table,
    more === "" ? "" : `<p class="more">${h(more)}</p>`,
  ].join("\n");
}
