/** What the metrics say after known traffic, in a text that a strict scraper takes. */
import { spawnSync } from "node:child_process";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readPrometheusText } from "./prometheus-text.ts";
import type { MetricFamily } from "./prometheus-text.ts";
import { startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
let issued: IssuedKey;
let text: string;
let families: Map<string, MetricFamily>;
const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }] };

async function viewerKey(environments: string[] | "*"): Promise<string> {
  const made = await gateway.admin<{ key: string }>("POST", "/v1/admin-keys", {
    name: "scraper", role: "viewer", environments,
  }); // prettier-ignore
  return made.key;
}

async function scrape(key: string): Promise<Response> {
  return fetch(`${gateway.gateway.adminUrl}/metrics`, { headers: { authorization: `Bearer ${key}` } });
}

function samples(name: string, labels: Readonly<Record<string, string>> = {}): number[] {
  return (families.get(name)?.samples ?? [])
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .map(({ value }) => value);
}

beforeAll(async () => {
  gateway = await startGateway({ environments: ["dev", "prod"] });
  issued = await gateway.issue();
  const prod = await gateway.issue({ environment: "prod" });
  for (const path of ["/api/chat", "/v1/chat/completions"])
    await (await gateway.post(path, issued.key, { ...chat, stream: true })).text();
  await (await gateway.post("/api/chat", prod.key, chat)).text();
  await (await gateway.post("/api/chat", issued.key, { ...chat, model: "other" })).text();
  await (await gateway.post("/api/chat", "nonsense", chat)).text();
  await (await fetch(`${gateway.url}/healthz`)).text();
  await (await fetch(`${gateway.url}/nowhere`)).text();
  expect((await gateway.raw("GARBAGE\r\n\r\n")).status).toBe(400);
  gateway.upstream().intercept = (_seen, response) => {
    response.writeHead(500, { "content-type": "application/json" }).end('{"error":"broken"}');
    return true;
  };
  await (await gateway.post("/api/chat", issued.key, chat)).text();
  const answer = await scrape(await viewerKey("*"));
  expect([answer.status, answer.headers.get("content-type")]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
  ]);
  text = await answer.text();
  families = readPrometheusText(text);
});
afterAll(() => gateway.stop());

test("requests are counted once each, by endpoint and ending", () => {
  const native = { endpoint: "ollama.chat", dialect: "ollama" };
  expect(samples("sallyport_requests_total", { ...native, environment: "dev", outcome: "served" })).toEqual([1]);
  expect(samples("sallyport_requests_total", { ...native, environment: "prod", outcome: "served" })).toEqual([1]);
  expect(samples("sallyport_requests_total", { ...native, environment: "dev", outcome: "refused" })).toEqual([1]);
  expect(samples("sallyport_requests_total", { ...native, environment: "dev", outcome: "upstream_error" })).toEqual([
    1,
  ]);
  expect(samples("sallyport_requests_total", { ...native, environment: "", outcome: "refused" })).toEqual([1]);
  expect(samples("sallyport_requests_total", { endpoint: "openai.chat", outcome: "served" })).toEqual([1]);
  expect(samples("sallyport_requests_total", { endpoint: "local.healthz", outcome: "local" })).toEqual([1]);
  expect(samples("sallyport_requests_total", { endpoint: "", environment: "", outcome: "refused" })).toEqual([1]);
});

test("refusals are counted by code, before and after the key was verified", () => {
  expect(samples("sallyport_refusals_total", { environment: "dev", code: "model_denied" })).toEqual([1]);
  expect(samples("sallyport_unauthenticated_refusals_total", { code: "credential_malformed" })).toEqual([1]);
  expect(samples("sallyport_unauthenticated_refusals_total", { code: "endpoint_unknown" })).toEqual([1]);
  expect(samples("sallyport_unauthenticated_refusals_total", { code: "header_malformed" })).toEqual([1]);
});

test("tokens, times, bytes and upstreams", () => {
  const place = { environment: "dev", endpoint: "ollama.chat" };
  expect(samples("sallyport_input_tokens_total", { ...place, estimated: "false" })).toEqual([24]);
  expect(samples("sallyport_output_tokens_total", { ...place, estimated: "false" })).toEqual([3]);
  for (const name of ["sallyport_time_to_first_byte_seconds", "sallyport_request_duration_seconds"]) {
    const mine = families.get(name)!.samples.filter(({ labels }) => labels["endpoint"] === "ollama.chat");
    expect(mine.filter((sample) => sample.name === `${name}_count`).map(({ value }) => value)).toEqual([2, 1]);
  }
  expect(samples("sallyport_sent_bytes_total", place)[0]).toBeGreaterThan(100);
  const upstream = { environment: "dev", upstream: "u1" };
  expect(samples("sallyport_upstream_exchanges_total", { ...upstream, outcome: "served" })).toEqual([2]);
  expect(samples("sallyport_upstream_exchanges_total", { ...upstream, outcome: "upstream_error" })).toEqual([1]);
  expect(samples("sallyport_upstream_running", upstream)).toEqual([0]);
});

test("the gateway's own state", () => {
  for (const name of ["sallyport_running_exchanges", "sallyport_waiting_exchanges", "sallyport_held_bytes"])
    expect([name, samples(name)]).toEqual([name, [0]]);
  expect(samples("sallyport_held_bytes_limit")).toEqual([256 * 1024 * 1024]);
  expect(samples("sallyport_ledger_writable")).toEqual([1]);
  expect(samples("sallyport_ledger_records_total")[0]).toBeGreaterThan(8);
  expect(samples("sallyport_ledger_commits_total")[0]).toBeGreaterThan(4);
  expect(samples("sallyport_ledger_last_commit_seconds")[0]).toBeGreaterThan(0);
  expect(samples("sallyport_ledger_refused_lines_total")).toEqual([0]);
  // Two keys of the data plane, the recovery key and the scraper's.
  expect(samples("sallyport_keys")).toEqual([4]);
  expect(samples("sallyport_policy_epoch")[0]).toBeGreaterThan(1);
  expect(samples("sallyport_build_info")).toEqual([1]);
  expect(samples("process_cpu_seconds_total")[0]).toBeGreaterThan(0);
  expect(samples("process_resident_memory_bytes")[0]).toBeGreaterThan(1e7);
  expect(Math.abs(samples("process_start_time_seconds")[0]! - Date.now() / 1000)).toBeLessThan(3_600);
  for (const name of ["mean", "p99", "max"])
    expect(samples(`nodejs_eventloop_delay_${name}_seconds`)[0]).toBeLessThan(60);
});

/** The twenty largest of each environment, and the rest as one: bounded, though their names are not of a closed set. */
const LARGEST = new Set([
  "sallyport_user_compute_seconds", "sallyport_user_wait_seconds", "sallyport_model_waiting", "sallyport_model_slots",
  "sallyport_service_prediction_error_ratio", "sallyport_token_estimate_error_ratio",
]); // prettier-ignore

test("labels are words of closed sets, but for the largest: no key, address or secret is among them", () => {
  const names = new Set(
    [...families].flatMap(([name, { samples: all }]) =>
      LARGEST.has(name) ? [] : all.flatMap(({ labels }) => Object.keys(labels)),
    ),
  );
  expect([...names].toSorted()).toEqual(
    ["code", "dialect", "endpoint", "environment", "estimated", "le", "node", "outcome", "signal", "upstream", "version"],
  ); // prettier-ignore
  for (const secret of [issued.id, issued.key, "127.0.0.1", "nonsense", "nowhere"]) expect(text).not.toContain(secret);
  for (const line of text.split("\n").filter((one) => one.includes("llama3.2")))
    expect([...LARGEST].some((name) => line.startsWith(name))).toBe(true);
});

describe("who may read them", () => {
  test("a viewer of one environment sees that one's series and what belongs to none", async () => {
    const answer = await scrape(await viewerKey(["dev"]));
    const seen = readPrometheusText(await answer.text());
    const all = [...seen.values()].flatMap((family) => family.samples.map(({ labels }) => labels["environment"]));
    expect(new Set(all)).toEqual(new Set([undefined, "", "dev"]));
  });

  test("a key of the data plane, none, and an unknown one get nothing; HEAD, POST and a query are refused", async () => {
    const url = `${gateway.gateway.adminUrl}/metrics`;
    expect((await scrape(issued.key)).status).toBe(401);
    expect((await fetch(url)).status).toBe(401);
    expect((await scrape(gateway.adminKey.replace(/.$/, (last) => (last === "0" ? "1" : "0")))).status).toBe(401);
    const headers = { authorization: `Bearer ${gateway.adminKey}` };
    expect((await fetch(url, { method: "HEAD", headers })).status).toBe(405);
    expect((await fetch(url, { method: "POST", headers })).status).toBe(405);
    expect((await fetch(`${url}?name[]=x`, { headers })).status).toBe(400);
    expect((await fetch(`${gateway.url}/metrics`, { headers: { authorization: `Bearer ${issued.key}` } })).status).toBe(
      404,
    );
  });

  test("the operating-system user, over the socket", async () => {
    const status = await new Promise((resolve, reject) => {
      const socketPath = join(gateway.directory, "admin.sock");
      const asked = httpRequest({ socketPath, path: "/metrics" }, (answer) => resolve(answer.resume().statusCode));
      asked.on("error", reject).end();
    });
    expect(status).toBe(200);
  });
});

test("a caller who goes, even by a reset, is no refusal", async () => {
  const { hostname, port } = new URL(gateway.url);
  const before = samples("sallyport_unauthenticated_refusals_total", { code: "header_malformed" });
  await new Promise<void>((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.on("error", reject).on("close", () => resolve());
    // The body is announced and never comes; the answer to Expect tells that the gateway waits for it.
    socket.write(
      `POST /api/chat HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${issued.key}\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n`,
    );
    socket.once("data", () => socket.resetAndDestroy());
  });
  const gone = { endpoint: "ollama.chat", outcome: "client_gone" };
  do families = readPrometheusText(await (await scrape(gateway.adminKey)).text());
  while (samples("sallyport_requests_total", gone).length === 0);
  expect(samples("sallyport_requests_total", gone)).toEqual([1]);
  expect(samples("sallyport_unauthenticated_refusals_total", { code: "header_malformed" })).toEqual(before);
});

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
if (!hasPromtool)
  console.warn("skipped: `promtool check metrics` (Debian: apt-get install prometheus) is not installed here");

test.skipIf(!hasPromtool && process.env["SALLYPORT_TEST_PROMTOOL"] !== "1")("promtool is content", () => {
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
});
