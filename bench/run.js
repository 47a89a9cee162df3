// `npm run bench`: everything in one run, as a table beside the budgets, written to bench/RESULTS.md.
// Ratios are of the same run; absolute figures are of this machine and this hour. `--node PATH` adds the rows that depend
// on Node for a second one.
import { cpus, totalmem } from "node:os";
import { writeFileSync } from "node:fs";
import { anomalies } from "./anomalies.js";
import { keyCost } from "./keys.js";
import { ledger } from "./ledger.js";
import { ledgerSearch } from "./ledger-search.js";
import { revocations } from "./life.js";
import { nodePath } from "./options.js";
import { comparePeers } from "./peers.js";
import { relayTime } from "./relay-time.js";
import { addRequestRows } from "./request-rows.js";
import { signatures } from "./signatures.js";
import { streamLatency } from "./streams.js";

const rows = [];
const add = (what, budget, figure, isMet) => {
  const row = [what, budget, figure, isMet === null ? "-" : isMet ? "met" : "missed"];
  rows.push(row);
  console.log(row.join(" | "));
};
const ms = (value) => `${value.toFixed(2)} ms`;

const requestMs = await addRequestRows(add, process.execPath);
if (nodePath !== process.execPath) await addRequestRows(add, nodePath);
const peers = await comparePeers();
for (const { name, workload, ratio, cpuMs } of peers.rows)
  add(
    `the same in OpenAI's dialect, ${name}: ${workload}`,
    "reported",
    `${ratio.median.toFixed(2)} x (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)}; ${cpuMs.toFixed(3)} ms)`,
    null,
  );
for (const { name, why } of peers.skipped) add(`the same, ${name}`, "reported", `skipped: ${why}`, null);
const roomy = await streamLatency(256, 200);
add(
  "added to the first token at 256 streams, 5 tokens a second each, p99 (p50; the bare one's own way, p99)",
  "<= 0.5 ms",
  `${ms(roomy.firstWayP99)} (${ms(roomy.firstWayP50)}; ${ms(roomy.bareFirstWayP99)})`,
  roomy.firstWayP99 <= 0.5,
);
add(
  "added to a token, the same",
  "<= 0.05 ms",
  `${ms(roomy.nextWayP99)} (${ms(roomy.nextWayP50)}; ${ms(roomy.bareNextWayP99)})`,
  roomy.nextWayP99 <= 0.05,
);
const streams = await streamLatency(256);
add(
  "the same two with 25 tokens a second each, four busy processes on these cores",
  "reported",
  `${ms(streams.firstWayP99)} (${ms(streams.firstWayP50)}; ${ms(streams.bareFirstWayP99)}), ${ms(streams.nextWayP99)} (${ms(streams.nextWayP50)}; ${ms(streams.bareNextWayP99)})`,
  null,
);
const inside = await relayTime(256);
add(
  "the same of the relay alone: read to written, inside the process, without the time in which the kernel ran others; p99",
  "<= 0.05 ms",
  `${ms(inside.addedP99 / 1000)} (${inside.gatewayP99.toFixed(0)} us against ${inside.bareP99.toFixed(0)} us; p50 ${inside.gatewayP50.toFixed(0)} us against ${inside.bareP50.toFixed(0)} us)`,
  inside.addedP99 <= 50,
);
const many = await streamLatency(512);
add(
  "512 streams at once: longest silence against the bare pass-through's",
  "no stall",
  `${ms(many.longestGateway)} against ${ms(many.longestBare)}`,
  many.longestGateway <= many.longestBare + 100,
);
const { sides, knownRatio, unknownRatio } = await keyCost(1_000, 1_000_000);
const [small, large] = sides;
add(
  "verify and decide, 1,000,000 keys against 1,000, Zipf",
  "<= 1.1 x",
  `${knownRatio.toFixed(2)} x (${large.knownUs.toFixed(1)} us against ${small.knownUs.toFixed(1)} us)`,
  knownRatio <= 1.1,
);
add(
  "an unknown id, the same",
  "<= 1.1 x",
  `${unknownRatio.toFixed(2)} x (${large.unknownUs.toFixed(1)} us)`,
  unknownRatio <= 1.1,
);
for (const { algorithm, bareUs, oursUs, overUs } of signatures())
  add(
    `signature verification over the bare cryptographic cost, ${algorithm}`,
    "<= 20 us",
    `${overUs.toFixed(1)} us (${oursUs.toFixed(1)} against ${bareUs.toFixed(1)} us)`,
    overUs <= 20,
  );
const lived = await revocations();
add(
  "revoked to refused, worst of 40 (median)",
  "<= 1 s p99",
  `${ms(lived.refusedWorstMs)} (${ms(lived.refusedMs)})`,
  lived.refusedWorstMs <= 1000,
);
add(
  "revoked to running stream cut, worst of 40 (median)",
  "<= 1 s p99",
  `${ms(lived.cutWorstMs)} (${ms(lived.cutMs)})`,
  lived.cutWorstMs <= 1000,
);
const chain = await ledger();
add(
  "ledger, sequenced and committed",
  ">= 20,000/s",
  `${Math.round(chain.sequencedPerSecond).toLocaleString("en")}/s`,
  chain.sequencedPerSecond >= 20_000,
);
add(
  "ledger, verified",
  ">= 100,000/s a core",
  `${Math.round(chain.verifiedPerCpuSecond).toLocaleString("en")}/s`,
  chain.verifiedPerCpuSecond >= 100_000,
);
const found = await ledgerSearch();
add(
  `a rare key searched in ${found.records.toLocaleString("en")} records (the first time after a start; by reading everything)`,
  "reported",
  `${ms(found.rareMs)} (${ms(found.rareFirstMs)}; ${ms(found.wholeMs)})`,
  null,
);
add(
  "the same: a common key with a rare code; one page of a common key; a network; nothing",
  "reported",
  [found.commonAndRareMs, found.pageMs, found.networkMs, found.nothingMs].map(ms).join("; "),
  null,
);
const share = (2 * chain.threadMicrosPerRecord) / (requestMs * 1_000);
add(
  "ledger, on the thread of requests: two records, against the CPU of a request",
  "<= 5 %",
  `${(100 * share).toFixed(1)} % (${chain.threadMicrosPerRecord.toFixed(1)} us a record, 16 to a commit)`,
  share <= 0.05,
);
add("ledger, one commit alone, p50 / p99", "reported", `${ms(chain.commitP50Ms)} / ${ms(chain.commitP99Ms)}`, null);
const watched = anomalies();
add("watching keys, CPU an event", "<= 5 us", `${watched.eventUs.toFixed(2)} us`, watched.eventUs <= 5);
add("watching keys, memory a key", "<= 4,096 bytes", `${watched.keyBytes.toFixed(0)} bytes`, watched.keyBytes <= 4_096);

const [cpu] = cpus();
const table = ["what", "budget", "figure", ""].join(" | ");
const machine = `${cpus().length} cores (${cpu.model.trim()}), ${(totalmem() / 2 ** 30).toFixed(0)} GB, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`;
writeFileSync(
  new URL("RESULTS.md", import.meta.url),
  `# Figures\n\nOne run of \`npm run bench\` on ${machine}; a shared machine, so compare rows inside the table.\n\n| ${table} |\n|---|---|---|---|\n${rows.map((row) => `| ${row.join(" | ")} |\n`).join("")}`,
);
process.exit(0);
