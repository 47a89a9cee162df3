// CPU a request: the gateway, Caddy and nginx (where they are installed) against the bare pass-through, in turns in one
// run, in Ollama's dialect. `--program FOLDER` adds the built program of another checkout, which judges a change.
import { startGateway } from "./gateway.js";
import { isSelected, nodePath, otherPrograms, roundsOr } from "./options.js";
import { compare, measureInTurns, ROUNDS_JUDGED, sideOf } from "./paired.js";
import { caddyMissing, startCaddy } from "./peer-caddy.js";
import { nginxMissing, startNginx } from "./peer-nginx.js";
import { start, stop } from "./processes.js";
import { workloads } from "./workloads.js";

const ROUNDS_REPORTED = 5;
const GATEWAY = "Sallyport, every layer on";
const proxies = [
  { name: "Caddy, one static bearer token", missing: caddyMissing, start: startCaddy },
  { name: "nginx, one static bearer token", missing: nginxMissing, start: startNginx },
];

/** Rows and what could not be measured, for one Node. `withProxies` false leaves Caddy and nginx out. */
export async function cpuPerRequest({ execPath = nodePath, withProxies = true } = {}) {
  const upstream = await start("./upstream.js");
  const skipped = [];
  const sides = [];
  const rows = [];
  try {
    const bare = sideOf("bare pass-through", await start("./pass-through.js", { UPSTREAM: upstream.url }, execPath), {
      key: "any",
    });
    sides.push(bare);
    const gateway = sideOf(GATEWAY, await startGateway(upstream.url, [], { execPath }));
    sides.push(gateway);
    for (const program of otherPrograms)
      sides.push(sideOf(program, await startGateway(upstream.url, [], { program, execPath })));
    for (const proxy of withProxies ? proxies : []) {
      const why = proxy.missing();
      if (why) skipped.push({ name: proxy.name, why });
      else sides.push(sideOf(proxy.name, await proxy.start(upstream.url, "static-token-of-the-bench")));
    }
    for (const workload of workloads.filter(({ name }) => isSelected(name))) {
      const { budget } = workload;
      const rounds = await measureInTurns(sides, workload, roundsOr(budget ? ROUNDS_JUDGED : ROUNDS_REPORTED));
      const figures = new Map(sides.map((side) => [side, compare(rounds, side, bare)]));
      for (const side of sides.slice(1)) {
        const isOurs = side === gateway;
        // How much of the other's CPU the gateway takes: what a change is judged by.
        const gatewayAgainst = isOurs ? null : compare(rounds, gateway, side).ratio;
        rows.push({
          workload: workload.name, side: side.name, isOurs, budget: isOurs ? budget : undefined, rounds: rounds.length,
          bareMs: figures.get(bare).cpuMs, gatewayAgainst, ...figures.get(side),
        }); // prettier-ignore
      }
    }
  } finally {
    for (const side of sides) await side.stop();
    await stop(upstream.child);
  }
  return { rows, skipped };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { rows, skipped } = await cpuPerRequest({ withProxies: !process.argv.includes("--no-proxies") });
  const spreadOf = ({ median, min, max }) => `${median.toFixed(2)} x (${min.toFixed(2)} to ${max.toFixed(2)})`;
  for (const { workload, side, ratio, cpuMs, bareMs, throughput, gatewayAgainst } of rows)
    console.log(
      [
        workload,
        side,
        spreadOf(ratio),
        `${cpuMs.toFixed(4)} ms against ${bareMs.toFixed(4)} ms`,
        `throughput ${throughput.toFixed(2)} x`,
        ...(gatewayAgainst ? [`the gateway takes ${spreadOf(gatewayAgainst)} of its CPU`] : []),
      ].join(" | "),
    );
  for (const { name, why } of skipped) console.log(`skipped: ${name}: ${why}`);
}
