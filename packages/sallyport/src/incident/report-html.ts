/**
 * A report as one HTML file: no script, nothing from elsewhere, readable in light and dark and on paper. A policy in its
 * head (CSP) lets a browser load nothing and run nothing, whatever a name in it may be; the style is let in by its hash.
 */
import { createHash } from "node:crypto";
import { htmlText as h } from "./hostile-text.ts";
import { minute, spanText } from "./report.ts";
import type { Remedy, Report, Section } from "./report.ts";
import { drawTimeline } from "./timeline-svg.ts";

const REPORT_STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #59636e; --line: #d1d9e0; --well: #f3f5f7; --red: #c1121f; --blue: #0b62c4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9aa5b1; --line: #30363d; --well: #161b22; --red: #ff6b6b; --blue: #6cb2ff; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1040px; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 0 0 1rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
.summary { border-left: 4px solid var(--red); background: var(--well); padding: .4rem 1rem; }
.summary p { margin: .5rem 0; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: .3rem 1.5rem; margin: 1.2rem 0; }
dl div { display: flex; gap: .6rem; border-bottom: 1px dotted var(--line); }
dt { color: var(--soft); flex: 0 0 7.5rem; } dd { margin: 0; }
figure { margin: 0; } svg { width: 100%; height: auto; display: block; }
figcaption { color: var(--soft); font-size: .85rem; margin-top: .4rem; }
.key { white-space: nowrap; margin-left: 1rem; } .key::before { content: ""; display: inline-block; width: .75em; height: .75em; margin-right: .35em; background: currentColor; }
.tick { font: 11px system-ui, sans-serif; fill: var(--soft); } .grid { stroke: var(--line); stroke-dasharray: 2 4; } .axis { stroke: var(--soft); }
.c0 { fill: #0072b2; color: #0072b2; } .c1 { fill: #e69f00; color: #e69f00; } .c2 { fill: #009e73; color: #009e73; }
.c3 { fill: #cc79a7; color: #cc79a7; } .c4 { fill: #56b4e9; color: #56b4e9; } .c5 { fill: #d55e00; color: #d55e00; }
.rest { fill: #8c959f; color: #8c959f; } .refused { fill: var(--red); }
.mark line { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3; } .mark rect { fill: var(--soft); } .mark text { font: bold 11px system-ui, sans-serif; fill: var(--paper); }
.mark.address rect { fill: var(--blue); } .mark.refusal rect, .mark.stop rect { fill: var(--red); } .mark.stop line { stroke: var(--red); stroke-dasharray: none; stroke-width: 2; }
.marks { columns: 2 20rem; font-size: .9rem; padding-left: 2rem; }
.remedies { list-style: none; padding: 0; } .remedies li { margin: .7rem 0; padding-left: 1.8rem; position: relative; break-inside: avoid; }
.remedies input { position: absolute; left: 0; top: .25rem; width: 1.05rem; height: 1.05rem; margin: 0; }
pre { background: var(--well); border: 1px solid var(--line); border-radius: 4px; padding: .5rem .7rem; margin: .4rem 0; font: 13px/1.5 ui-monospace, monospace; white-space: pre-wrap; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .87rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); } th { color: var(--soft); font-weight: 600; }
.says, .more { color: var(--soft); font-size: .9rem; margin: .3rem 0; }
@page { margin: 1.5cm; }
@media print { :root { --ink: #000; --paper: #fff; --soft: #444; --line: #bbb; --well: #f4f4f4; --red: #b00; --blue: #04c; } body { margin: 0; max-width: none; font-size: 10pt; } tr, figure { break-inside: avoid; } thead { display: table-header-group; } h2 { break-after: avoid; } rect, .key::before { print-color-adjust: exact; } .wide { overflow: visible; } }
`;

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
    `<h2>Timeline</h2><figure>${svg}<figcaption>Requests in each ${h(width)}, by address; below, those that were denied. Times are UTC.`,
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

/** The style sheet of a report. Colours of addresses are Okabe and Ito's, told apart by the colour-blind as well. */
