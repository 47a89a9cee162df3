/**
 * The chart of a report: requests over time, a colour for each of the busiest addresses, denials below, and numbered
 * marks for important events. Drawn by hand, because a chart library would be larger than everything else for one
 * picture without scripts. Colours are classes of the report's style sheet, so the chart follows the reader's dark
 * mode.
 */
import type { RadiusView } from "@sallyport/contract";
import { htmlText } from "./hostile-text.ts";
import { countText, minute } from "./report.ts";

type Timeline = RadiusView["timeline"];

/** Addresses with a separate colour; the others are grey. */
export const COLOURS = 6;
const WIDTH = 960;
const LEFT = 56;
const RIGHT = 12;
const TOP = 44;
const PLOT = 190;
const REFUSED_TOP = TOP + PLOT + 12;
const REFUSED = 36;
const HEIGHT = REFUSED_TOP + REFUSED + 26;
const TICKS = 6;
/** Marks nearer than this are one. */
const MARK_PX = 48;

export interface Mark {
  /** `3` or `3–5`: numbers of the list below the picture. */
  readonly label: string;
  readonly x: number;
  readonly kind: string;
}

export interface Picture {
  readonly svg: string;
  /** Class and address of each colour. */
  readonly legend: readonly { readonly colour: string; readonly address: string; readonly count: number }[];
  /** In order of time. */
  readonly marks: readonly { readonly number: number; readonly at: string; readonly says: string }[];
}

export function drawTimeline(timeline: Timeline, from: string, to: string): Picture {
  const { bucketMs, buckets } = timeline;
  const marks = timeline.marks
    .toSorted((a, b) => (a.at < b.at ? -1 : 1))
    .filter(({ at }) => at >= from)
    .map((mark, i) => ({ ...mark, number: i + 1 }));
  const start = Math.floor(Date.parse(from) / bucketMs) * bucketMs;
  const end = Math.max(start + bucketMs, Date.parse(to), ...buckets.map(({ at }) => Date.parse(at) + bucketMs));
  const x = (at: number): number => round(LEFT + ((at - start) / (end - start)) * (WIDTH - LEFT - RIGHT));
  const legend = legendOf(timeline);
  const colourOf = new Map(legend.map(({ address, colour }) => [address, colour]));
  const highest = Math.max(1, ...buckets.map(totalOf));
  const refusedMost = Math.max(1, ...buckets.map(({ refused }) => refused));
  const bar = Math.max(1, round(x(start + bucketMs) - x(start) - 0.5));

  const bars = buckets.flatMap((bucket) => {
    const left = x(Date.parse(bucket.at));
    let floor = TOP + PLOT;
    const parts = stackOf(bucket, colourOf).map(([colour, count]) => {
      const height = round((count / highest) * PLOT);
      floor = round(floor - height);
      return `<rect class="${colour}" x="${left}" y="${floor}" width="${bar}" height="${height}"/>`;
    });
    const refused = round((bucket.refused / refusedMost) * REFUSED);
    if (refused > 0)
      parts.push(
        `<rect class="refused" x="${left}" y="${REFUSED_TOP}" width="${bar}" height="${Math.max(1, refused)}"/>`,
      );
    return parts;
  });

  const svg = [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="requests over time, by address">`,
    ...grid(highest),
    ...bars,
    `<line class="axis" x1="${LEFT}" y1="${TOP + PLOT}" x2="${WIDTH - RIGHT}" y2="${TOP + PLOT}"/>`,
    `<text class="tick" x="${LEFT - 6}" y="${REFUSED_TOP + 12}" text-anchor="end">denied</text>`,
    `<text class="tick" x="${LEFT - 6}" y="${REFUSED_TOP + 26}" text-anchor="end">≤ ${countText(refusedMost)}</text>`,
    ...ticks(start, end, x),
    ...clustered(marks.map(({ at, number, kind }) => ({ x: x(Date.parse(at)), number, kind }))).map(drawMark),
    "</svg>",
  ].join("\n");
  return { svg, legend, marks };
}

function totalOf({ addresses, others }: Timeline["buckets"][number]): number {
  return addresses.reduce((sum, { count }) => sum + count, others);
}

function legendOf({ buckets }: Timeline): Picture["legend"] {
  const totals = new Map<string, number>();
  for (const { addresses } of buckets)
    for (const { address, count } of addresses) totals.set(address, (totals.get(address) ?? 0) + count);
  return [...totals]
    .sort(([, a], [, b]) => b - a)
    .slice(0, COLOURS)
    .map(([address, count], i) => ({ colour: `c${i}`, address, count }));
}

/** From the bottom up, always in the same order; addresses without a separate colour come last. */
function stackOf(
  { addresses, others }: Timeline["buckets"][number],
  colourOf: ReadonlyMap<string, string>,
): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const { address, count } of addresses) {
    const colour = colourOf.get(address) ?? "rest";
    counts.set(colour, (counts.get(colour) ?? 0) + count);
  }
  if (others > 0) counts.set("rest", (counts.get("rest") ?? 0) + others);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}

function grid(highest: number): string[] {
  return [1, 0.5].flatMap((part) => {
    const y = round(TOP + PLOT * (1 - part));
    return [
      `<line class="grid" x1="${LEFT}" y1="${y}" x2="${WIDTH - RIGHT}" y2="${y}"/>`,
      `<text class="tick" x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${countText(Math.round(highest * part))}</text>`,
    ];
  });
}

function ticks(start: number, end: number, x: (at: number) => number): string[] {
  return Array.from({ length: TICKS }, (_, i) => {
    const at = start + ((end - start) * i) / (TICKS - 1);
    const anchor = i === 0 ? "start" : i === TICKS - 1 ? "end" : "middle";
    const label = minute(new Date(at).toISOString());
    return `<text class="tick" x="${x(at)}" y="${HEIGHT - 6}" text-anchor="${anchor}">${label}</text>`;
  });
}

function clustered(marks: readonly { readonly x: number; readonly number: number; readonly kind: string }[]): Mark[] {
  const clusters: { x: number; first: number; last: number; kind: string }[] = [];
  for (const { x, number, kind } of marks) {
    const near = clusters.at(-1);
    if (near && x - near.x < MARK_PX) {
      near.last = number;
      near.kind = graver(near.kind, kind);
    } else clusters.push({ x, first: number, last: number, kind });
  }
  return clusters.map(({ x, first, last, kind }) => ({
    x,
    kind,
    label: first === last ? `${first}` : `${first}–${last}`,
  }));
}

/** Of several marks at one place the picture shows the colour of the one that matters most. */
function graver(a: string, b: string): string {
  const rank = (kind: string): number => ["stop", "refusal", "address", "life"].indexOf(classOf(kind));
  return rank(b) < rank(a) ? b : a;
}

function classOf(kind: string): string {
  if (kind === "key.suspended" || kind === "incident.opened" || kind === "key.revoked") return "stop";
  return kind === "refusal" || kind === "address" ? kind : "life";
}

function drawMark({ label, x, kind }: Mark): string {
  const half = 5 + 3.5 * label.length;
  const middle = Math.min(Math.max(x, LEFT + half), WIDTH - half);
  return [
    `<g class="mark ${classOf(kind)}"><line x1="${x}" y1="30" x2="${x}" y2="${TOP + PLOT}"/>`,
    `<rect x="${round(middle - half)}" y="10" width="${2 * half}" height="20" rx="6"/>`,
    `<text x="${round(middle)}" y="24" text-anchor="middle">${htmlText(label)}</text></g>`,
  ].join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
