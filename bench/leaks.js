// Leaked keys: from a signed report to the key that is denied (and whose stream is aborted), one key a message and a hundred
// in one; and what looking for keys in traffic costs. `node bench/leaks.js --json`
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGateway } from "./gateway.js";
import { cpuSeconds, start, stop } from "./processes.js";

const KEYS = 100;
const SECRET = "the secret of the bench's scanner";
const BODY = '{"model":"llama3.2","messages":[{"role":"user","content":"x"}]}';

export async function reportToDead(keys = KEYS) {
  const home = mkdtempSync(join(tmpdir(), "sallyport-bench-leaks-"));
  const identity = join(home, "identity.yaml");
  writeFileSync(identity, "leaks:\n  webhooks:\n    bench: { secret: env:SALLYPORT_LEAK_SECRET }\n");
  Object.assign(process.env, { SALLYPORT_IDENTITY: identity, SALLYPORT_LEAK_SECRET: SECRET });
  const upstream = await start("./upstream.js", { FIRST_MS: "0", GAP_MS: "20", CHUNKS: "100000" });
  const gateway = await startGateway(upstream.url, ["--log", "error"]);
  const { AdminClient } = await import("../packages/client/dist/index.js");
  const client = new AdminClient({ socketPath: `${gateway.data}/admin.sock` });
  try {
    const { adminListen } = await client.call("status");
    const issue = (name) =>
      client.call("keys.create", { body: { environment: "dev", name, roles: ["bot"], models: ["*"] } });
    const denied = [];
    const aborted = [];
    for (let at = 0; at < keys; at++) {
      const { key } = await issue(`leaked ${at}`);
      const times = await report(gateway.url, adminListen, [key], `one-${at}`);
      denied.push(times.deniedMs);
      aborted.push(times.abortedMs);
    }
    const many = [];
    for (let at = 0; at < keys; at++) many.push((await issue(`together ${at}`)).key);
    const together = await report(gateway.url, adminListen, many, "together");
    return {
      keys,
      deniedP50: quantile(denied, 0.5),
      deniedP99: quantile(denied, 0.99),
      deniedWorst: Math.max(...denied),
      abortedP99: quantile(aborted, 0.99),
      togetherMs: together.deniedMs,
    };
  } finally {
    await client.close();
    await gateway.stop();
    await stop(upstream.child);
    rmSync(home, { recursive: true, force: true });
    delete process.env.SALLYPORT_IDENTITY;
    delete process.env.SALLYPORT_LEAK_SECRET;
  }
}

/** From sending the report until a request with the last of the keys is denied, asked again and again meanwhile. */
async function report(url, admin, keys, id) {
  const key = keys.at(-1);
  const headers = { authorization: `Bearer ${key}` };
  const chat = () => fetch(`${url}/api/chat`, { method: "POST", headers, body: BODY });
  const running = await chat();
  const reader = running.body.getReader();
  await reader.read();
  const body = JSON.stringify(keys.map((token) => ({ token, type: "sallyport", url: "https://example.org/x" })));
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac("sha256", SECRET).update(`${id}.${timestamp}.${body}`).digest("base64");
  const signed = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
  const started = performance.now();
  let abortedMs = 0;
  const ended = (async () => {
    while (!(await reader.read()).done);
    abortedMs = performance.now() - started;
  })();
  const sent = fetch(`${admin}/leaks/webhook`, { method: "POST", headers: signed, body });
  void sent.then(({ status }) => {
    if (status !== 202) process.exitCode = 1;
  });
  let deniedMs = 0;
  while (deniedMs === 0) {
    if (process.exitCode === 1) throw new Error(`not accepted: ${await (await sent).text()}`);
    const answer = await fetch(`${url}/api/tags`, { headers });
    await answer.arrayBuffer();
    if (answer.status === 401) deniedMs = performance.now() - started;
  }
  const answered = await sent;
  if (answered.status !== 202) throw new Error(`not accepted: ${answered.status} ${await answered.text()}`);
  await ended;
  return { deniedMs, abortedMs };
}

function quantile(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)];
}

/** Words of usual text, and code with many underscores and words in s: what makes the search look twice. */
const TEXTS = {
  text: " the sum of its parts is what a model says in such an answer as this one is".split(/(?= )/),
  /** Our own prose, as a model would write it. */
  prose: readFileSync(new URL("../docs/guides/leaks.md", import.meta.url), "utf8").split(/(?= )/),
  code: "const max_pings = sp_count(users_by_id, sp); // spa_x_1 s_p".split(/(?<=[_ (])/),
};

/** What looking for keys costs, of one frame of a stream (ns) and of a body (MB a second), beside what the gateway costs a frame. */
export async function trafficCost() {
  const { AnswerKeys } = await import("../packages/sallyport/dist/leaks/answer-keys.js");
  const { keysInRequest } = await import("../packages/sallyport/dist/leaks/request-keys.js");
  const frameNs = {};
  for (const [name, tokens] of Object.entries(TEXTS)) {
    const frames = tokens.map((content) =>
      Buffer.from(
        `{"model":"llama3.2","created_at":"2026-11-23T04:23:30.080106223Z","message":{"role":"assistant","content":${JSON.stringify(content)}},"done":false}\n`,
      ),
    );
    const look = (rounds) => {
      const keys = new AnswerKeys(true, () => "show");
      const started = process.cpuUsage();
      for (let round = 0; round < rounds; round++) for (const frame of frames) keys.push(frame);
      const { user, system } = process.cpuUsage(started);
      return ((user + system) * 1_000) / (rounds * frames.length);
    };
    const rounds = Math.ceil(100_000 / frames.length);
    look(rounds);
    frameNs[name] = [1, 2, 3, 4, 5].map(() => look(rounds)).toSorted((a, b) => a - b)[2];
  }
  const body = Buffer.from(JSON.stringify({ messages: Array.from({ length: 400 }, () => ({ role: "user", content: TEXTS.text.join("") })) })); // prettier-ignore
  const searched = () => {
    const started = process.cpuUsage();
    for (let round = 0; round < 2_000; round++) void keysInRequest(body);
    const { user, system } = process.cpuUsage(started);
    return (body.length * 2_000) / (user + system);
  };
  searched();
  return { frameNs, bodyMbPerCpuSecond: searched(), ...(await gatewayCostOfFrame()) };
}

/** CPU of the gateway's process for each frame of a stream that comes every few milliseconds, and in bursts. */
async function gatewayCostOfFrame() {
  const FRAMES = 2_000;
  const STREAMS = 20;
  const costs = {};
  for (const gapMs of [0, 5]) {
    const upstream = await start("./upstream.js", { FIRST_MS: "0", GAP_MS: String(gapMs), CHUNKS: String(FRAMES) });
    const gateway = await startGateway(upstream.url, ["--log", "error"]);
    const headers = { authorization: `Bearer ${gateway.key}` };
    const stream = async () => (await fetch(`${gateway.url}/api/chat`, { method: "POST", headers, body: BODY })).text();
    await Promise.all(Array.from({ length: STREAMS }, stream));
    const before = cpuSeconds(gateway.child.pid);
    await Promise.all(Array.from({ length: STREAMS }, stream));
    costs[`gatewayNs${gapMs}ms`] = ((cpuSeconds(gateway.child.pid) - before) * 1e9) / (FRAMES * STREAMS);
    await gateway.stop();
    await stop(upstream.child);
  }
  return costs;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const found = { traffic: await trafficCost(), report: await reportToDead() };
  console.log(process.argv.includes("--json") ? JSON.stringify(found) : found);
}
