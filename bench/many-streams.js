// 1,200 streams at once through one gateway: is a token lost, and is any stream silent for longer than through the bare
// pass-through? With a server whose slots policy states, and with one whose slots the gateway learns.
//   node bench/many-streams.js [--json] [--streams 1200] [--gap 400]
import { parseArgs } from "node:util";
import { startGateway } from "./gateway.js";
import { ask, start, stop } from "./processes.js";

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    streams: { type: "string", default: "1200" },
    gap: { type: "string", default: "400" },
  },
});
const streams = Number(flags.streams);
const gapMs = Number(flags.gap);
const TOKENS = 40;
const FIRST_MS = 50;

const upstream = await start("./upstream.js", {
  FIRST_MS: String(FIRST_MS),
  GAP_MS: String(gapMs),
  CHUNKS: String(TOKENS),
  STAMPS: "1",
});
const bare = await start("./pass-through.js", { UPSTREAM: upstream.url });
const gateway = await startGateway(upstream.url, ["--log", "error"]);
const watch = await start("./watch.js");
try {
  const rows = [];
  for (const [through, side] of [
    ["bare", bare],
    ["gateway", gateway],
  ]) {
    const seen = await ask(watch.child, {
      url: side.url,
      key: gateway.key,
      streams,
      rounds: 1,
      spreadMs: FIRST_MS + TOKENS * gapMs,
    });
    rows.push({ through, streams, lines: seen.lines, longestSilenceMs: Math.round(seen.gap.longest) });
  }
  if (flags.json) console.log(JSON.stringify({ rows }));
  else console.table(rows);
} finally {
  await stop(watch.child);
  await gateway.stop();
  await stop(bare.child);
  await stop(upstream.child);
}
