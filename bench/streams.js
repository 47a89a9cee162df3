// Time added to the first token and between tokens at 256 streams, and 512 streams held at once, against the bare pass-through.
import { startGateway } from "./gateway.js";
import { ask, median, start, stop } from "./processes.js";

const FIRST_MS = 50;
/** Tokens of a stream after its first. */
const TOKENS = 40;
const ROUNDS = Number(process.env.ROUNDS ?? 3);

/** `gapMs` between two tokens of a stream: 40 keeps two cores busy with 256 streams, 200 leaves them room. */
export async function streamLatency(streams, gapMs = 40) {
  const upstream = await start("./upstream.js", {
    FIRST_MS: String(FIRST_MS),
    GAP_MS: String(gapMs),
    CHUNKS: String(TOKENS),
    STAMPS: "1",
  });
  /** The length of one stream. */
  const spreadMs = FIRST_MS + TOKENS * gapMs;
  const bare = await start("./pass-through.js", { UPSTREAM: upstream.url });
  const gateway = await startGateway(upstream.url, ["--log", "error"]);
  const watch = await start("./watch.js");
  const rows = [];
  try {
    for (const side of [bare, gateway])
      await ask(watch.child, { url: side.url, key: gateway.key, streams, rounds: 1, spreadMs });
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
          spreadMs,
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
    gapMs,
    firstWayP50: added((side) => side.firstWay.p50),
    firstWayP99: added((side) => side.firstWay.p99),
    nextWayP50: added((side) => side.nextWay.p50),
    nextWayP99: added((side) => side.nextWay.p99),
    bareFirstWayP99: median(rows.map(({ bare: side }) => side.firstWay.p99)),
    bareNextWayP99: median(rows.map(({ bare: side }) => side.nextWay.p99)),
    firstP50: added((side) => side.first.p50),
    firstP99: added((side) => side.first.p99),
    gapP50: added((side) => side.gap.p50),
    gapP99: added((side) => side.gap.p99),
    longestBare: median(rows.map(({ bare: side }) => side.gap.longest)),
    longestGateway: median(rows.map(({ gateway: side }) => side.gap.longest)),
  };
}

if (process.argv[1] === new URL(import.meta.url).pathname)
  console.table([await streamLatency(256), await streamLatency(256, 200), await streamLatency(512)]);
