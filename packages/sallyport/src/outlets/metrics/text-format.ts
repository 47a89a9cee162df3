/** Prometheus' text exposition format, version 0.0.4: how families, labels and numbers are written. */
import { withoutKeys } from "@sallyport/protocol";
import type { FamilyHead } from "./family.ts";
import { Histogram } from "./series.ts";

export interface Written {
  readonly values: readonly string[];
  readonly value: number | Histogram;
}

/** `# HELP`, `# TYPE` and one line a sample. */
export function writeFamily({ type, name, help, labels }: FamilyHead, written: Iterable<Written>): string {
  let text = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
  for (const { values, value } of written) {
    const pairs = labels.map((label, at) => pair(label, values[at] ?? ""));
    if (value instanceof Histogram) text += histogramLines(name, pairs, value);
    else text += `${name}${braced(pairs)} ${number(value)}\n`;
  }
  return text;
}

function histogramLines(name: string, pairs: readonly string[], { bounds, counts, sum }: Histogram): string {
  let text = "";
  let count = 0;
  for (const [place, inBucket] of counts.entries()) {
    count += inBucket;
    text += `${name}_bucket${braced([...pairs, pair("le", number(bounds[place] ?? Infinity))])} ${count}\n`;
  }
  return `${text}${name}_sum${braced(pairs)} ${number(sum)}\n${name}_count${braced(pairs)} ${count}\n`;
}

function braced(pairs: readonly string[]): string {
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function pair(label: string, value: string): string {
  return `${label}="${withoutKeys(value).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

function escapeHelp(help: string): string {
  return help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function number(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}
