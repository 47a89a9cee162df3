// Time added to the first token and between tokens at 256 streams, and 512 streams held at once, against the bare pass-through.
import { startGateway } from "./gateway.js";
import { ask, median, start, stop } from "./processes.js";

/** The length of one stream: 50 ms to the first token, 40 more at 40 ms. */
const SPREAD_MS = 1_650;
const ROUNDS = Number(process.env.ROUNDS ?? 3);

export async function streamLatency(streams) {
  const upstream = await start("./upstream.js", { FIRST_MS: "50", GAP_MS: "40", CHUNKS: "40" });
  const bare = await start("./pass-through.js", { UPSTREAM: upstream.url });
  const gateway = await startGateway(upstream.url, ["--log", "error"]);
  const watch = await start("./watch.js");
  const rows = [];
  try {
    for (const side of [bare, gateway])
      await ask(watch.child, { url: side.url, key: gateway.key, streams, rounds: 1, spreadMs: SPREAD_MS });
    for (let round = 0; round < ROUNDS; round++) {
      const seen = {};
      for (const [name, side] of round % 2 === 0
        ? [
            ["bare", bare],
            ["gateway", gateway],
          ]
        : [
            ["gateway", gateway],
            ["bare", bare],
          ]) {
        seen[name] = await ask(watch.child, {
          url: side.url,
          key: gateway.key,
          streams,
          rounds: 2,
          spreadMs: SPREAD_MS,
        });
      }
      rows.push(seen);
    }
  } finally {
    await stop(watch.child);
    await gateway.stop();
    await stop(bare.child);
    await stop(upstream.child);
  }
  const added = (read) => median(rows.map(({ bare: a, gateway: b }) => read(b) - read(a)));
  return {
    streams,
    firstP50: added((side) => side.first.p50),
    firstP99: added((side) => side.first.p99),
    gapP50: added((side) => side.gap.p50),
    gapP99: added((side) => side.gap.p99),
    longestBare: median(rows.map(({ bare: side }) => side.gap.longest)),
    longestGateway: median(rows.map(({ gateway: side }) => side.gap.longest)),
  };
}

if (process.argv[1] === new URL(import.meta.url).pathname)
  console.table([await streamLatency(256), await streamLatency(512)]);
