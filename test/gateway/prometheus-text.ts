/** A strict reader of Prometheus' text format 0.0.4: what a scraper would refuse or misread throws. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/;

export function readPrometheusText(text: string): Map<string, MetricFamily> {
  if (!text.endsWith("\n")) throw new Error("the text does not end with a line feed");
  const families = new Map<string, MetricFamily & { samples: Sample[] }>();
  const series = new Set<string>();
  const lines = text.slice(0, -1).split("\n");
  let open: (MetricFamily & { samples: Sample[] }) | undefined;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const help = /^# HELP (\S+) ((?:[^\\]|\\[\\n])*)$/.exec(line);
    if (help) {
      const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(lines[++at] ?? "");
      if (!type || type[1] !== help[1] || !NAME.test(help[1]!)) throw new Error(`no type after ${line}`);
      if (families.has(help[1]!)) throw new Error(`${help[1]} comes twice`);
      open = { name: help[1]!, type: type[2]!, help: help[2]!, samples: [] };
      families.set(open.name, open);
      continue;
    }
    const sample = readSample(line);
    if (!open || !belongsTo(open, sample.name)) throw new Error(`stands under another metric: ${line}`);
    const identity = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;
    if (series.has(identity)) throw new Error(`a series twice: ${line}`);
    series.add(identity);
    open.samples.push(sample);
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}

function readSample(line: string): Sample {
  const parts = /^([^\s{]+)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (!parts || !NAME.test(parts[1]!) || !NUMBER.test(parts[3]!)) throw new Error(`not a sample: ${line}`);
  const labels: Record<string, string> = {};
  const written = parts[2] ?? "";
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < written.length) {
    const pair = LABEL.exec(written);
    if (!pair || pair[1]! in labels) throw new Error(`not labels: ${line}`);
    labels[pair[1]!] = pair[2]!.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
  }
  const value = Number(parts[3]!.replace("Inf", "Infinity"));
  return { name: parts[1]!, labels, value };
}

function belongsTo({ name, type }: MetricFamily, sample: string): boolean {
  if (type !== "histogram") return sample === name;
  return [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(sample);
}

function checkFamily(family: MetricFamily): void {
  const { name, type, samples } = family;
  if (samples.length === 0) throw new Error(`${name} has no sample`);
  if ((type === "counter") !== name.endsWith("_total")) throw new Error(`${name} is not named as a ${type}`);
  if (type === "counter" && samples.some(({ value }) => !(value >= 0))) throw new Error(`${name} is below zero`);
  if (type === "histogram") checkHistogram(family);
}

function checkHistogram({ name, samples }: MetricFamily): void {
  const byLabels = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...rest } = sample.labels;
    const identity = JSON.stringify(rest);
    byLabels.set(identity, [...(byLabels.get(identity) ?? []), sample]);
  }
  for (const [identity, members] of byLabels) {
    const buckets = members.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number(labels["le"]!.replace("Inf", "Infinity")));
    const isRising = (values: readonly number[], isStrict: boolean): boolean =>
      values.every((value, at) => at === 0 || (isStrict ? value > values[at - 1]! : value >= values[at - 1]!));
    if (!isRising(bounds, true) || bounds.at(-1) !== Infinity)
      throw new Error(`${name}${identity}: bounds ${bounds.join()}`);
    const counts = buckets.map(({ value }) => value);
    if (!isRising(counts, false)) throw new Error(`${name}${identity}: not cumulative`);
    const ends = members.filter((sample) => sample.name !== `${name}_bucket`).map((sample) => sample.name);
    if (ends.toSorted().join() !== `${name}_count,${name}_sum`) throw new Error(`${name}${identity}: no sum and count`);
    if (members.find((sample) => sample.name === `${name}_count`)!.value !== counts.at(-1))
      throw new Error(`${name}${identity}: +Inf is not the count`);
  }
}
