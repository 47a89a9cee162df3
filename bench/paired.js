// CPU a request of several programs on the same work. Each round asks all of them, another one first and every second time
// in the opposite order, so that none always follows the same neighbour. What is told is the ratio of two programs in the
// same round: what the machine does meanwhile meets both.
import { ask, cpuSeconds, spread, start, stop } from "./processes.js";

/** Of rows that are judged: single rounds differ by a third, and a median of five of them says little. */
export const ROUNDS_JUDGED = 15;
const WARM_REQUESTS = 4_000;

/** A program as a side of the comparison; `served` has url, child and perhaps a key and its own count of CPU. */
export function sideOf(name, served, more = {}) {
  return { name, cpuSeconds: () => cpuSeconds(served.child.pid), stop: () => stop(served.child), ...served, ...more };
}

/** One entry for each round: a map of each side to its CPU a request in ms and its requests a second. */
export async function measureInTurns(sides, workload, rounds) {
  const load = await start("./load.js");
  const once = async (side, requests) => {
    const { url, key, more } = side;
    const before = side.cpuSeconds();
    const { seconds } = await ask(load.child, { url, key, more, ...workload, requests });
    return { cpuMs: ((side.cpuSeconds() - before) / requests) * 1000, perSecond: requests / seconds };
  };
  const all = [];
  try {
    // Warm: what is compared is the machine code, not the interpreter.
    for (const side of sides) await once(side, WARM_REQUESTS);
    for (let round = 0; round < rounds; round++) {
      const seen = new Map();
      const order = sides.map((_, at) => sides[(at + round) % sides.length]);
      if (round % 2 === 1) order.reverse();
      for (const side of order) {
        seen.set(side, await once(side, workload.requests));
      }
      all.push(seen);
    }
  } finally {
    await stop(load.child);
  }
  return all;
}

/** One side's CPU as a multiple of another's, and its own, over all rounds. */
export function compare(rounds, side, reference) {
  return {
    ratio: spread(rounds.map((seen) => seen.get(side).cpuMs / seen.get(reference).cpuMs)),
    cpuMs: spread(rounds.map((seen) => seen.get(side).cpuMs)).median,
    throughput: spread(rounds.map((seen) => seen.get(side).perSecond / seen.get(reference).perSecond)).median,
  };
}
