// CPU a request of ours and of other programs that stand in front of a model server, on the same work in one run, as
// ratios against the bare pass-through. All speak OpenAI's dialect here, the one that every peer understands.
import { startGateway } from "./gateway.js";
import { roundsOr } from "./options.js";
import { compare, measureInTurns, sideOf } from "./paired.js";
import { caddyMissing, startCaddy } from "./peer-caddy.js";
import { nginxMissing, startNginx } from "./peer-nginx.js";
import { PORTKEY_VERSION, portkeyMissing, startPortkey } from "./peer-portkey.js";
import { start, stop } from "./processes.js";
import { answered, streamed } from "./workloads.js";

const ROUNDS = 5;
const TOKEN = "static-token-of-the-bench";
const path = "/v1/chat/completions";
const ONE_SECRET =
  "one secret for all in clear text in its configuration; no scope of endpoint or model, limit of a key, parse, ledger or cut of a running stream";

/** What a peer is asked to be, and what it leaves out that ours does for every request. */
const peers = [
  { name: "nginx, one static bearer token", lacks: ONE_SECRET, missing: nginxMissing, start: startNginx },
  { name: "Caddy, one static bearer token", lacks: ONE_SECRET, missing: caddyMissing, start: startCaddy },
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
    sideOf("bare pass-through", bare, { lacks: "everything", key: "any" }),
    sideOf("Sallyport, every layer on", gateway, { lacks: "-" }),
  ];
  const skipped = [];
  for (const { name, lacks, missing, start: startPeer } of peers) {
    const why = await missing();
    if (why) skipped.push({ name, why });
    else sides.push(sideOf(name, await startPeer(upstream.url, TOKEN), { lacks }));
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
  const { sides, skipped } = await startAll(upstream);
  const rows = [];
  try {
    for (const workload of [streamed, answered]) {
      const able = [];
      for (const side of sides) {
        const status = await probe(side, workload);
        if (status === 200) able.push(side);
        else skipped.push({ name: `${side.name}, ${workload.name}`, why: `it answers ${status}` });
      }
      const rounds = await measureInTurns(able, { ...workload, path }, roundsOr(ROUNDS));
      for (const side of able.slice(1)) {
        const { ratio, cpuMs } = compare(rounds, side, able[0]);
        rows.push({ name: side.name, workload: workload.name, lacks: side.lacks, ratio, cpuMs });
      }
    }
  } finally {
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
