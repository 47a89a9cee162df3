// CPU a request of ours and of other programs that stand in front of a model server, on the same work in one run, as
// ratios against the bare pass-through. All speak OpenAI's dialect here, the one that every peer understands.
import { startGateway } from "./gateway.js";
import { nginxMissing, startNginx } from "./peer-nginx.js";
import { PORTKEY_VERSION, portkeyMissing, startPortkey } from "./peer-portkey.js";
import { ask, cpuSeconds, spread, start, stop } from "./processes.js";

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const path = "/v1/chat/completions";
const workloads = [
  {
    name: "400 B request, 64-chunk stream, first token after 20 ms",
    bodyBytes: 400,
    isStream: true,
    requests: 1_500,
    connections: 32,
  },
  { name: "400 B request, small whole answer", bodyBytes: 400, isStream: false, requests: 6_000, connections: 32 },
];

/** What a peer is asked to be, and what it leaves out that ours does for every request. */
const peers = [
  {
    name: "nginx, one static bearer token",
    lacks:
      "one secret for all in clear text in its configuration; no scope of endpoint or model, limit of a key, parse, ledger or cut of a running stream",
    missing: nginxMissing,
    start: startNginx,
  },
  {
    name: `@portkey-ai/gateway ${PORTKEY_VERSION}, provider openai`,
    lacks:
      "passes any credential on; no keys of its own, scope, limit, strict parse, ledger or cut; the caller's header names the upstream",
    missing: portkeyMissing,
    start: startPortkey,
  },
];

async function startAll(upstream) {
  const bare = await start("./pass-through.js", { UPSTREAM: upstream.url });
  const gateway = await startGateway(upstream.url);
  const sides = [
    {
      name: "bare pass-through",
      lacks: "everything",
      url: bare.url,
      key: "any",
      cpuSeconds: () => cpuSeconds(bare.child.pid),
      stop: () => stop(bare.child),
    },
    {
      name: "Sallyport, every layer on",
      lacks: "-",
      url: gateway.url,
      key: gateway.key,
      cpuSeconds: () => cpuSeconds(gateway.child.pid),
      stop: () => gateway.stop(),
    },
  ];
  const skipped = [];
  for (const { name, lacks, missing, start: startPeer } of peers) {
    const why = await missing();
    if (why) skipped.push({ name, why });
    else sides.push({ name, lacks, ...(await startPeer(upstream.url)) });
  }
  return { sides, skipped };
}

/** The status of one such request: what cannot do the work is not compared. */
async function probe({ url, key, more }, { isStream }) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json", ...more };
  const body = JSON.stringify({ model: "llama3.2", messages: [{ role: "user", content: "hello" }], stream: isStream });
  const answer = await fetch(url + path, { method: "POST", headers, body });
  await answer.arrayBuffer();
  return answer.status;
}

export async function comparePeers() {
  const upstream = await start("./upstream.js");
  const load = await start("./load.js");
  const { sides, skipped } = await startAll(upstream);
  const rows = [];
  try {
    const once = async (side, workload, requests) => {
      const { url, key, more } = side;
      const before = side.cpuSeconds();
      await ask(load.child, { url, path, key, more, ...workload, requests });
      return ((side.cpuSeconds() - before) / requests) * 1000;
    };
    for (const workload of workloads) {
      const able = [];
      for (const side of sides) {
        const status = await probe(side, workload);
        if (status === 200) able.push(side);
        else skipped.push({ name: `${side.name}, ${workload.name}`, why: `it answers ${status}` });
      }
      for (const side of able) await once(side, workload, 4_000);
      const rounds = [];
      for (let round = 0; round < ROUNDS; round++) {
        // Another one begins each time, so that nobody is always the one after the same neighbour.
        const seen = new Map();
        for (let at = 0; at < able.length; at++) {
          const side = able[(at + round) % able.length];
          seen.set(side, await once(side, workload, workload.requests));
        }
        rounds.push(seen);
      }
      for (const side of able.slice(1)) {
        const ratio = spread(rounds.map((seen) => seen.get(side) / seen.get(able[0])));
        const cpu = spread(rounds.map((seen) => seen.get(side)));
        rows.push({ name: side.name, workload: workload.name, lacks: side.lacks, ratio, cpuMs: cpu.median });
      }
    }
  } finally {
    await stop(load.child);
    for (const side of sides) await side.stop();
    await stop(upstream.child);
  }
  return { rows, skipped };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { rows, skipped } = await comparePeers();
  for (const { name, workload, ratio, cpuMs, lacks } of rows)
    console.log(
      `${name} | ${workload} | ${ratio.median.toFixed(2)} x (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)}; ${cpuMs.toFixed(3)} ms) | lacks: ${lacks}`,
    );
  for (const { name, why } of skipped) console.log(`skipped: ${name}: ${why}`);
  process.exit(0);
}
