// The time added to the first token when 256 streams begin within 200 ms on a process that has served nothing, against a
// bare pass-through that has served nothing either. Each round starts new processes; the model server and the one that
// watches the streams are warm, because their own first requests are not the gateway's.
import { startGateway } from "./gateway.js";
import { nodePath, otherPrograms, roundsOr } from "./options.js";
import { ask, spread, start, stop } from "./processes.js";

const STREAMS = 256;
const BEGIN_MS = 200;
const ROUNDS = 7;
/** At a start keys are read ahead and the state is checked in the background: that is not what is measured. */
const SETTLE_MS = 1_500;
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function coldBurst(execPath = nodePath) {
  const upstream = await start("./upstream.js", { FIRST_MS: "50", GAP_MS: "40", CHUNKS: "10", STAMPS: "1" });
  const watch = await start("./watch.js");
  const startBare = () => start("./pass-through.js", { UPSTREAM: upstream.url }, execPath);
  const burst = ({ url, key = "any" }) =>
    ask(watch.child, { url, key, streams: STREAMS, rounds: 1, spreadMs: BEGIN_MS });
  const sides = [
    {
      name: "Sallyport",
      start: () => startGateway(upstream.url, ["--log", "error"], { execPath }),
    },
    ...otherPrograms.map((program) => ({
      name: program,
      start: () => startGateway(upstream.url, ["--log", "error"], { execPath, program }),
    })),
  ];
  const seen = [];
  try {
    const warm = await startBare();
    for (let i = 0; i < 8; i++) await burst(warm);
    await stop(warm.child);
    for (let round = 0; round < roundsOr(ROUNDS); round++) {
      const bare = await startBare();
      await rest(SETTLE_MS);
      const bareFirst = (await burst(bare)).firstWay;
      await stop(bare.child);
      const row = new Map();
      for (const side of sides) {
        const gateway = await side.start();
        await rest(SETTLE_MS);
        const cold = (await burst(gateway)).firstWay;
        // The same again: what remains when the process has served 256 streams.
        const second = (await burst(gateway)).firstWay;
        await gateway.stop();
        row.set(side, {
          addedP50: cold.p50 - bareFirst.p50,
          addedP99: cold.p99 - bareFirst.p99,
          secondP50: second.p50 - bareFirst.p50,
          bareP50: bareFirst.p50,
        });
      }
      seen.push(row);
    }
  } finally {
    await stop(watch.child);
    await stop(upstream.child);
  }
  const of = (side, name) => spread(seen.map((row) => row.get(side)[name]));
  return sides.map((side) => ({
    name: side.name,
    addedP50: of(side, "addedP50"),
    addedP99: of(side, "addedP99"),
    secondP50: of(side, "secondP50"),
    bareP50: of(side, "bareP50").median,
  }));
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const text = ({ median, min, max }) => `${median.toFixed(2)} ms (${min.toFixed(2)} to ${max.toFixed(2)})`;
  for (const { name, addedP50, addedP99, secondP50, bareP50 } of await coldBurst())
    console.log(
      `${name} | added to the first token, p50 ${text(addedP50)}, p99 ${text(addedP99)} | the second burst, p50 ${text(secondP50)} | the bare one's own way, p50 ${bareP50.toFixed(2)} ms`,
    );
}
