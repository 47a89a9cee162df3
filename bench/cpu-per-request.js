// CPU a request, the gateway against the bare pass-through, in turns in one run: what is said is the ratio.
import { startGateway } from "./gateway.js";
import { ask, cpuSeconds, median, spread, start, stop } from "./processes.js";

const ROUNDS = Number(process.env.ROUNDS ?? 5);
/** Of the row that is judged: single rounds lie between 0.9 and 1.5, and a median of five of them says little. */
const ROUNDS_JUDGED = Number(process.env.ROUNDS ?? 21);

export const workloads = [
  {
    name: "400 B request, 64-chunk stream, first token after 20 ms",
    bodyBytes: 400,
    isStream: true,
    requests: 1_500,
    connections: 32,
  },
  {
    name: "400 B request, the same stream with 5 ms between chunks",
    bodyBytes: 400,
    isStream: true,
    requests: 1_500,
    connections: 128,
    gapMs: 5,
  },
  { name: "4 kB request, the same stream", bodyBytes: 4_096, isStream: true, requests: 1_000, connections: 32 },
  { name: "32 kB request, the same stream", bodyBytes: 32_768, isStream: true, requests: 1_000, connections: 32 },
  { name: "400 B request, small whole answer", bodyBytes: 400, isStream: false, requests: 6_000, connections: 32 },
];

export async function cpuPerRequest(only) {
  const upstream = await start("./upstream.js");
  const bare = await start("./pass-through.js", { UPSTREAM: upstream.url });
  const gateway = await startGateway(upstream.url);
  const load = await start("./load.js");
  const rows = [];
  try {
    const once = async ({ child, url }, workload, requests) => {
      const before = cpuSeconds(child.pid);
      const { seconds } = await ask(load.child, { url, key: gateway.key, ...workload, requests });
      return { cpuMs: ((cpuSeconds(child.pid) - before) / requests) * 1000, perSecond: requests / seconds };
    };
    for (const workload of workloads.filter(({ name }) => !only || name.startsWith(only))) {
      // Warm: what is compared is the machine code, not the interpreter.
      for (const side of [bare, gateway]) await once(side, workload, 4_000);
      const pairs = [];
      const rounds = workload === workloads[0] ? ROUNDS_JUDGED : ROUNDS;
      for (let round = 0; round < rounds; round++) {
        const sides = round % 2 === 0 ? [bare, gateway] : [gateway, bare];
        const first = await once(sides[0], workload, workload.requests);
        const second = await once(sides[1], workload, workload.requests);
        pairs.push(sides[0] === bare ? { bare: first, gateway: second } : { bare: second, gateway: first });
      }
      rows.push({
        name: workload.name,
        bareMs: median(pairs.map((pair) => pair.bare.cpuMs)),
        gatewayMs: median(pairs.map((pair) => pair.gateway.cpuMs)),
        ratio: spread(pairs.map((pair) => pair.gateway.cpuMs / pair.bare.cpuMs)),
        throughput: median(pairs.map((pair) => pair.gateway.perSecond / pair.bare.perSecond)),
      });
    }
  } finally {
    await stop(load.child);
    await gateway.stop();
    await stop(bare.child);
    await stop(upstream.child);
  }
  return rows;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const rows = await cpuPerRequest(process.argv[2]);
  console.table(rows.map(({ ratio, ...row }) => ({ ...row, ...ratio })));
}
