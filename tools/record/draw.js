// Draws recorded panes as one animated SVG: each text that a row showed is an element that is visible while it was shown.
// No script, no font and no link is in it, so that it plays in a README.
const CELL = { width: 7.6, height: 17 };
const EDGE = 14;
const HEADING = 24;
/** How long the last picture stays before the recording begins again. */
const HOLD_MS = 3_000;

/** A moment in which nothing changes lasts no longer than this: how fast the recording machine is says nothing. */
const LONGEST_PAUSE_MS = 2_500;

/** @param {{ panes: object[], columns: number, endMs: number, label: string }} recording */
export function draw({ panes: recorded, columns, endMs: recordedMs, label }) {
  const { panes, endMs } = withoutLongPauses(recorded, recordedMs);
  const totalMs = endMs + HOLD_MS;
  const width = Math.ceil(columns * CELL.width + 2 * EDGE);
  const tops = placesOf(panes);
  const height = Math.max(...panes.map((pane) => tops.get(pane) + HEADING + pane.rows * CELL.height)) + EDGE;
  const rules = [];
  const parts = [];
  const shown = (startMs, stopMs) => {
    const isLast = stopMs >= endMs;
    if (startMs <= 0 && isLast) return "";
    const name = `s${rules.length}`;
    const percent = (ms) => `${((ms / totalMs) * 100).toFixed(2)}%`;
    const after = isLast ? "" : `${percent(stopMs)}{visibility:hidden}`;
    rules.push(`@keyframes ${name}{0%{visibility:hidden}${percent(Math.max(startMs, 1))}{visibility:visible}${after}}`);
    return ` class="${isLast ? "last" : "past"}" style="animation-name:${name}"`;
  };
  for (const pane of panes) {
    const top = tops.get(pane);
    const stopMs = pane.endMs ?? endMs;
    parts.push(
      `<g${shown(pane.startMs, stopMs)}><rect class="bar" x="0" y="${top}" width="${width}" height="${HEADING}"/>`,
    );
    parts.push(`<text class="name" x="${EDGE}" y="${top + 16}">${escaped(pane.title)}</text></g>`);
    for (const { row, text, startMs, stopMs: until } of intervalsOf(pane, stopMs)) {
      const y = top + HEADING + (row + 1) * CELL.height;
      const kind = text.startsWith("$ ") ? ' fill="#7ee787"' : "";
      parts.push(`<g${shown(startMs, until)}><text x="${EDGE}" y="${y}"${kind}>${escaped(text)}</text></g>`);
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(label)}">
<style>
rect.ground{fill:#0d1117}rect.bar{fill:#21262d}
text{font:12.6px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#e6edf3;white-space:pre}
text.name{fill:#9da7b3}text[fill]{fill:#7ee787}
.past,.last{visibility:hidden;animation-duration:${totalMs}ms;animation-timing-function:step-end;animation-iteration-count:infinite}
@media (prefers-reduced-motion:reduce){.past{animation:none}.last{animation:none;visibility:visible}}
${rules.join("\n")}
</style>
<rect class="ground" width="${width}" height="${height}" rx="6"/>
${parts.join("\n")}
</svg>
`;
}

function withoutLongPauses(panes, endMs) {
  const changes = new Set([0, endMs]);
  for (const pane of panes) {
    changes.add(pane.startMs).add(pane.endMs ?? endMs);
    for (const { startMs, stopMs } of intervalsOf(pane, endMs)) changes.add(startMs).add(stopMs);
  }
  const short = new Map();
  let atMs = 0;
  let previous = 0;
  for (const change of [...changes].sort((a, b) => a - b)) {
    atMs += Math.min(change - previous, LONGEST_PAUSE_MS);
    previous = change;
    short.set(change, atMs);
  }
  const times = [...short.keys()];
  const shortened = (ms) => short.get(ms) ?? short.get(times.findLast((time) => time < ms));
  return {
    endMs: shortened(endMs),
    panes: panes.map((pane) => ({
      ...pane,
      startMs: shortened(pane.startMs),
      endMs: pane.endMs === undefined ? undefined : shortened(pane.endMs),
      samples: pane.samples.map(({ atMs: sampledMs, rows }) => ({ atMs: shortened(sampledMs), rows })),
    })),
  };
}

/** Panes that are open at the same time stand under each other; one that opens after the last was closed starts at the top. */
function placesOf(panes) {
  const tops = new Map();
  for (const pane of panes) {
    const open = panes.filter((other) => tops.has(other) && (other.endMs ?? Infinity) > pane.startMs);
    tops.set(pane, Math.max(0, ...open.map((other) => tops.get(other) + HEADING + other.rows * CELL.height + 8)));
  }
  return tops;
}

function intervalsOf(pane, stopMs) {
  const intervals = [];
  const current = new Map();
  const end = (row, atMs) => {
    const open = current.get(row);
    if (open !== undefined && open.text !== "") intervals.push({ row, ...open, stopMs: atMs });
  };
  for (const { atMs, rows } of pane.samples)
    for (let row = 0; row < pane.rows; row++) {
      const text = rows[row] ?? "";
      if (current.get(row)?.text === text) continue;
      end(row, atMs);
      current.set(row, { text, startMs: atMs });
    }
  for (const row of current.keys()) end(row, stopMs);
  return intervals;
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
}
