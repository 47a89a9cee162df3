// What the relay itself adds to a token at 256 streams: read to written, inside the process (inside.js), the gateway's
// against the bare pass-through's, in turns. From outside (streams.js) the p99 is that of four busy processes on the cores there are.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGateway } from "./gateway.js";
import { ask, median, start, stop } from "./processes.js";

const INSIDE = new URL("./inside.js", import.meta.url).pathname;
const SPREAD_MS = 1_650;
const ROUNDS = Number(process.env.ROUNDS ?? 3);

export async function relayTime(streams) {
  const home = mkdtempSync(join(tmpdir(), "sallyport-inside-"));
  const upstream = await start("./upstream.js", { FIRST_MS: "50", GAP_MS: "40", CHUNKS: "40" });
  const file = (name) => join(home, name);
  const bare = await start("./pass-through.js", {
    UPSTREAM: upstream.url,
    BENCH_INSIDE: file("bare"),
    NODE_OPTIONS: `--import ${INSIDE}`,
  });
  const { BENCH_NODE_FLAGS: flags } = process.env;
  Object.assign(process.env, { BENCH_INSIDE: file("gateway"), BENCH_NODE_FLAGS: `${flags ?? ""} --import ${INSIDE}` });
  const gateway = await startGateway(upstream.url, ["--log", "error"]);
  process.env.BENCH_NODE_FLAGS = flags ?? "";
  const watch = await start("./watch.js");
  const once = async (name, { child, url }) => {
    await ask(watch.child, { url, key: gateway.key, streams, rounds: 2, spreadMs: SPREAD_MS });
    rmSync(file(name), { force: true });
    child.kill("SIGUSR2");
    while (!existsSync(file(name))) await new Promise((resolve) => setTimeout(resolve, 20));
    return JSON.parse(readFileSync(file(name), "utf8"));
  };
  const rows = [];
  try {
    for (const [name, side] of Object.entries({ bare, gateway })) await once(name, side);
    for (let round = 0; round < ROUNDS; round++)
      rows.push({ bare: await once("bare", bare), gateway: await once("gateway", gateway) });
  } finally {
    await stop(watch.child);
    await gateway.stop();
    await stop(bare.child);
    await stop(upstream.child);
    rmSync(home, { recursive: true, force: true });
  }
  const of = (side, quantile) => median(rows.map((row) => row[side][quantile]));
  return {
    writes: of("gateway", "count"),
    bareP50: of("bare", "p50"),
    bareP99: of("bare", "p99"),
    gatewayP50: of("gateway", "p50"),
    gatewayP99: of("gateway", "p99"),
    addedP99: median(rows.map(({ bare: a, gateway: b }) => b.p99 - a.p99)),
  };
}

if (process.argv[1] === new URL(import.meta.url).pathname) console.table([await relayTime(256)]);
