/** Findings as one page without scripts, images or links to other hosts. Every text in it may be hostile. */
import { escapeHtml } from "../../kernel/html-text.ts";
import { visibleLine } from "../../kernel/visible-text.ts";
import type { FindingView } from "@sallyport/contract";

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #ccc;vertical-align:top;overflow-wrap:anywhere}.critical,.high{color:#a00;font-weight:600}.medium{color:#8a5a00}";

export function postureHtml(findings: readonly FindingView[], at: string): string {
  const rows = findings.map(rowOf).join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Sallyport posture</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Posture</h1>
<p>${findings.length} findings at ${escaped(at)}, worst first.</p>
<table>
<thead><tr><th>Severity</th><th>Environment</th><th>Finding</th><th>Owner</th><th>First seen</th><th>Status</th></tr></thead>
<tbody>
${rows}
</tbody>
</table>
</body>
</html>
`;
}

function rowOf(finding: FindingView): string {
  const { severity, environment, code, subject, says, evidence, remedy, owner, firstSeen, status, accepted } = finding;
  const facts = evidence.map((fact) => `<li>${escaped(fact)}</li>`).join("");
  const details = [
    `<strong>${escaped(code)}</strong> ${escaped(subject)}<br>${escaped(says)}`,
    facts === "" ? "" : `<ul>${facts}</ul>`,
    remedy === "" ? "" : `<p>Remedy: ${escaped(remedy)}</p>`,
    accepted === null
      ? ""
      : `<p>Accepted by ${escaped(accepted.by)} until ${escaped(accepted.until)}: ${escaped(accepted.reason)}</p>`,
  ].join("");
  const cells = [environment, details, owner ?? "-", firstSeen ?? "not recorded", status];
  const written = cells.map((cell, at) => `<td>${at === 1 ? cell : escaped(cell)}</td>`).join("");
  return `<tr><td class="${severity}">${severity}</td>${written}</tr>`;
}

function escaped(text: string): string {
  return escapeHtml(visibleLine(text));
}
