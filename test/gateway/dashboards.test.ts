/** The dashboard and the alert rules of deploy/ name only metrics and labels that a gateway has. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { parse } from "yaml";
import { loadSettings } from "../program-under-test.ts";
import { readPrometheusText } from "./prometheus-text.ts";
import type { MetricFamily } from "./prometheus-text.ts";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

const deploy = join(import.meta.dirname, "../../deploy");
const WITNESS = "witness.example/w1+7a9bc963+BCHT0a+nYGpkT5uS2BxCeQJVR9hEpxgZKE7zM55vjOOh";
/** With a sink, a witness and traces, so that their metrics exist, too; none of the receivers listens. */
const { sinks, witnesses, tracing } = loadSettings({
  flags: {},
  file: "/dev/null",
  env: {
    SALLYPORT_SINKS: JSON.stringify([{ name: "otel", type: "otlp", url: "http://127.0.0.1:1" }]),
    SALLYPORT_WITNESSES: JSON.stringify([{ url: "http://127.0.0.1:1", key: WITNESS }]),
    SALLYPORT_TRACING: "true",
    SALLYPORT_OTLP: "http://127.0.0.1:1",
  },
});

let gateway: StartedGateway;
let families: Map<string, MetricFamily>;
beforeAll(async () => {
  gateway = await startGateway({ settings: { sinks, witnesses, tracing } });
  const { key } = await gateway.issue();
  const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }] };
  await (await gateway.post("/api/chat", key, chat)).text();
  await (await gateway.post("/api/chat", key, { ...chat, model: "other" })).text();
  await (await gateway.post("/api/chat", "nonsense", chat)).text();
  const admin = await gateway.admin<{ key: string }>("POST", "/v1/admin-keys", {
    name: "scraper",
    role: "viewer",
    environments: "*",
  });
  const headers = { authorization: `Bearer ${admin.key}` };
  families = readPrometheusText(await (await fetch(`${gateway.gateway.adminUrl}/metrics`, { headers })).text());
}, 30_000);
afterAll(() => gateway.stop());

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}
const dashboard = JSON.parse(readFileSync(join(deploy, "grafana-dashboard.json"), "utf8")) as {
  panels: readonly Panel[];
  templating: { list: readonly { query: string }[] };
};
const { groups } = parse(readFileSync(join(deploy, "alerts.yaml"), "utf8")) as {
  groups: readonly { rules: readonly { alert: string; expr: string; annotations: Record<string, string> }[] }[];
};
const rules = groups.flatMap((group) => group.rules);

/** With the labels that are written beside a query: in a legend, in an annotation. */
const queries: readonly (readonly [place: string, query: string, shown: readonly string[]])[] = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => [title, expr, labelsShown(legendFormat)] as const),
  ),
  ...dashboard.templating.list.map(({ query }) => ["variable", query, []] as const),
  ...rules.map(({ alert, expr, annotations }) => [alert, expr, labelsShown(JSON.stringify(annotations))] as const),
];

/** What Prometheus adds to every series, and to those of a histogram. */
const OTHERS = new Set(["job", "instance", "le"]);

function familyOf(name: string): MetricFamily | undefined {
  const histogram = families.get(name.replace(/_(?:bucket|sum|count)$/, ""));
  return families.get(name) ?? (histogram?.type === "histogram" ? histogram : undefined);
}

function metricsIn(query: string): string[] {
  return [...query.matchAll(/\b(?:sallyport|process|nodejs)_\w+/g)].map(([name]) => name);
}

/** `{{label}}` of Grafana, `{{ $labels.label }}` of Prometheus. */
function labelsShown(text: string): string[] {
  return [...text.matchAll(/\{\{ *(?:\$labels\.)?(\w+) *\}\}/g)].map((one) => one[1]!);
}

/** Label names in selectors and in groupings. */
function labelsIn(query: string): string[] {
  const inSelectors = [...query.matchAll(/(\w+)(?:=~|!=|!~|=)"/g)].map((one) => one[1]!);
  const inGroups = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap((one) => one[1]!.split(/, */));
  return [...inSelectors, ...inGroups];
}

describe("the dashboard and the alert rules", () => {
  it("are read at all", () => {
    expect([dashboard.panels.length > 15, rules.length > 10]).toEqual([true, true]);
  });

  it.each(queries)("%s: %s names metrics that there are", (_place, query) => {
    const unknown = metricsIn(query).filter((name) => familyOf(name) === undefined);
    expect(unknown).toEqual([]);
  });

  it.each(queries)("%s: %s names labels that its metrics have", (_place, query, shown) => {
    const metrics = metricsIn(query).map((name) => familyOf(name)!);
    const known = new Set(metrics.flatMap(({ samples }) => samples.flatMap(({ labels }) => Object.keys(labels))));
    // A metric that has counted nothing shows no labels.
    if (metrics.every(({ samples }) => samples.length === 0)) return;
    const used = [...labelsIn(query), ...shown];
    expect(used.filter((label) => !known.has(label) && !OTHERS.has(label))).toEqual([]);
    // A sum keeps the labels it groups by and no other.
    const groups = [...query.matchAll(/\bby \(([^)]*)\)/g)].map((one) => one[1]!.split(/, */));
    for (const group of groups) expect(shown.filter((label) => !group.includes(label))).toEqual([]);
  });

  it("say what happened and what to do", () => {
    for (const { alert, annotations } of rules) {
      expect([alert, Object.keys(annotations)]).toEqual([alert, ["summary", "description"]]);
      expect(alert).toMatch(/^Sallyport[A-Z]/);
    }
  });
});

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
if (!hasPromtool)
  console.warn("skipped: `promtool check rules` (Debian: apt-get install prometheus) is not installed here");

test.skipIf(!hasPromtool && process.env["SALLYPORT_TEST_PROMTOOL"] !== "1")("promtool takes the alert rules", () => {
  const { status, stdout } = spawnSync("promtool", ["check", "rules", join(deploy, "alerts.yaml")], {
    encoding: "utf8",
  });
  expect([status, stdout]).toEqual([0, expect.stringContaining(`SUCCESS: ${rules.length} rules found`)]);
});
