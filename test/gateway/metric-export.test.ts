/** Metrics as an OTLP receiver gets them: those that Prometheus would scrape, with the numbers of the end. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { OtlpReceiver, plainAttributes } from "./otlp-receiver.ts";
import { startGateway } from "./started-gateway.ts";

const receiver = new OtlpReceiver();
let url: string;
beforeAll(async () => void (url = await receiver.listen()));
afterAll(() => receiver.close());

interface Point {
  readonly attributes: Parameters<typeof plainAttributes>[0];
  readonly asDouble?: number;
}
interface Metric {
  readonly name: string;
  readonly sum?: { readonly dataPoints: readonly Point[] };
  readonly gauge?: { readonly dataPoints: readonly Point[] };
  readonly histogram?: { readonly dataPoints: readonly Point[] };
}
interface Export {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: Point["attributes"] };
    readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[];
  }[];
}

test("what was counted is with the receiver when the gateway has stopped", async () => {
  const gateway = await startGateway({
    settings: { metricExport: { url: `${url}/v1/metrics`, intervalMs: 3_600_000 } },
  });
  const { key } = await gateway.issue();
  const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }], stream: false };
  for (let i = 0; i < 3; i++) await (await gateway.post("/api/chat", key, chat)).text();
  const scraped = await fetch(`${gateway.gateway.adminUrl}/metrics`, {
    headers: { authorization: `Bearer ${gateway.adminKey}` },
  });
  const families = (await scraped.text()).match(/^# TYPE \S+/gm)!.map((line) => line.slice("# TYPE ".length));
  await gateway.stop();
  expect(receiver.targets).toEqual(["POST /v1/metrics"]);
  const [{ resource, scopeMetrics }] = (JSON.parse(receiver.bodies[0]!) as Export).resourceMetrics as [
    Export["resourceMetrics"][number],
  ];
  expect(plainAttributes(resource.attributes)).toMatchObject({ "service.name": "sallyport" });
  const metrics = scopeMetrics[0]!.metrics;
  const names = new Set(metrics.map(({ name }) => name));
  expect(families.filter((name) => !names.has(name.replace(/_total$/, "")))).toEqual([]);
  const requests = metrics.find(({ name }) => name === "sallyport_requests")!.sum!.dataPoints;
  expect(requests.reduce((sum, { asDouble }) => sum + asDouble!, 0)).toBe(3);
  expect(receiver.bodies[0]).not.toContain(key);
});
