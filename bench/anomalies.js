// What watching keys costs: CPU an event over labelled traffic, and memory a key as the heap grows by it.
// Alone: node --expose-gc bench/anomalies.js
import { parseObservation, observe } from "../packages/sallyport/dist/anomaly/observation.js";
import { simulate } from "../packages/sallyport/dist/watch-lab/simulate/simulate.js";
import { KeyWatch } from "../packages/sallyport/dist/anomaly/watch/key-watch.js";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const KEYS = 10_000;
const EVENTS = 400_000;
const ROUND = 100_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

/** Microseconds of CPU an event: median of rounds, after one that warms up. Reading and parsing are not in it. */
function eventCost() {
  const events = [];
  simulate(1, (lines) => {
    for (const line of lines) if (events.length < EVENTS) events.push(parseObservation(line));
  });
  const watch = new KeyWatch();
  const rounds = [];
  for (let from = 0; from < events.length; from += ROUND) {
    collect();
    const before = process.cpuUsage();
    for (let at = from; at < from + ROUND && at < events.length; at++) watch.see(events[at]);
    const { user, system } = process.cpuUsage(before);
    rounds.push((user + system) / Math.min(ROUND, events.length - from));
  }
  return rounds.slice(1).toSorted((a, b) => a - b)[Math.floor((rounds.length - 1) / 2)];
}

/** As a gateway's own ids are: one string, not a tree of pieces. */
const flat = (text) => Buffer.from(text, "latin1").toString("latin1");

/** Bytes a key once every part of its state is in use; ids of requests included. */
function keyCost() {
  const watch = new KeyWatch();
  const at = Date.UTC(2026, 0, 5);
  const bytes = () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const live = (key, count) => {
    for (let n = 0; n < count; n++)
      watch.see(
        observe({
          kind: "exchange",
          at: at + n * 3_600_000,
          environment: "prod",
          key: flat(`K${String(key).padStart(11, "0")}`),
          owner: "p_1",
          peer: "chatbot",
          request: flat(`req_${String(key * 1_000 + n).padStart(16, "0")}`),
          endpoint: "ollama.chat",
          model: "llama3.2",
          address: `192.0.${n % 12}.1`,
          client: `curl/8.${n % 6}`,
          outcome: "served",
          inputTokens: 100 + ((n * 37) % 91),
          outputTokens: 200 + ((n * 53) % 97),
          requestBytes: 400 + n,
        }),
      );
  };
  live(0, 80);
  const before = bytes();
  for (let key = 1; key <= KEYS; key++) live(key, 80);
  return (bytes() - before) / KEYS;
}

export function anomalies() {
  return { eventUs: eventCost(), keyBytes: keyCost() };
}

if (process.argv[1] === import.meta.filename) {
  const { eventUs, keyBytes } = anomalies();
  console.log(`${eventUs.toFixed(2)} us of CPU an event (budget 5 us)`);
  console.log(`${keyBytes.toFixed(0)} bytes a key (budget 4,096), ${KEYS} keys`);
}
