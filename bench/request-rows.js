// The rows of the table that depend on the version of Node: CPU a request, the cold burst, start and memory.
import { coldBurst } from "./cold-burst.js";
import { cpuPerRequest } from "./cpu-per-request.js";
import { startAndMemory } from "./life.js";
import { nodeVersion } from "./processes.js";

/** What the gateway may take of Caddy's CPU for the judged stream rows. */
const OF_CADDY = 1.1;
/** So much more after the last quarter than after the first is still flat. */
const FLAT = 1.15;
const COLD_BURST_MS = 5;

/** Adds the rows of one Node; gives the CPU of the first row in ms. */
export async function addRequestRows(add, execPath) {
  const node = `Node ${await nodeVersion(execPath)}`;
  const { rows, skipped } = await cpuPerRequest({ execPath });
  for (const { workload, side, isOurs, budget, ratio, cpuMs, bareMs, throughput, gatewayAgainst, rounds } of rows) {
    const figure = `${times(ratio)}; ${cpuMs.toFixed(3)} ms against ${bareMs.toFixed(3)} ms; throughput ${throughput.toFixed(2)} x; ${rounds} rounds`;
    const what = `${node}: CPU a request against the bare pass-through, ${side}: ${workload}`;
    add(what, budget ? `<= ${budget} x` : "reported", figure, budget ? ratio.median <= budget : null);
    if (isOurs || !side.startsWith("Caddy")) continue;
    const isJudged = workload.includes("stream");
    add(
      `${node}: the gateway's CPU against Caddy's: ${workload}`,
      isJudged ? `<= ${OF_CADDY} x` : "reported",
      times(gatewayAgainst),
      isJudged ? gatewayAgainst.median <= OF_CADDY : null,
    );
  }
  for (const { name, why } of skipped) add(`${node}: ${name}`, "reported", `skipped: ${why}`, null);
  const [burst] = await coldBurst(execPath);
  add(
    `${node}: added to the first token, 256 streams within 200 ms on a process that has served nothing, p50 (p99; the second burst, p50)`,
    `<= ${COLD_BURST_MS} ms`,
    `${burst.addedP50.median.toFixed(2)} ms (${burst.addedP99.median.toFixed(2)} ms; ${burst.secondP50.median.toFixed(2)} ms)`,
    burst.addedP50.median <= COLD_BURST_MS,
  );
  const { startSeconds, idleMb, memory, requests } = await startAndMemory(execPath);
  add(`${node}: start to listening`, "<= 0.5 s", `${startSeconds.toFixed(2)} s`, startSeconds <= 0.5);
  add(`${node}: memory at rest`, "<= 120 MB", `${idleMb.toFixed(0)} MB`, idleMb <= 120);
  add(
    `${node}: memory after each quarter of ${requests.toLocaleString("en")} requests`,
    "flat",
    memory.map((mb) => `${mb.toFixed(0)} MB`).join(", "),
    // The young generations of three threads, and what their garbage is at that moment, come and go.
    memory.at(-1) <= memory[0] * FLAT,
  );
  return rows.find(({ isOurs }) => isOurs).cpuMs;
}

function times({ median, min, max }) {
  return `${median.toFixed(2)} x (${min.toFixed(2)} to ${max.toFixed(2)})`;
}
