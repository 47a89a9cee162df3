// Loaded into the gateway with --import: the longest turn of the thread that serves requests, asked for over the IPC channel.
//
// A turn is what the loop does between two looks at its sockets, which is how long a token that has arrived must wait. A
// timer of one millisecond fires in every round of the loop, so the time between two of its calls is one round (plus up to
// a millisecond of waiting: an idle gateway shows 1 to 2 ms). It is not split by callbacks or promises: a thousand short
// ones in one round hold up a stream as one long one does. What the kernel gave to other processes while this thread could
// have run is taken off where the kernel tells it (Linux, schedstat); what the host takes from the whole machine is not,
// and shows in the row of the idle gateway.
import { existsSync, openSync, readSync } from "node:fs";
import { PerformanceObserver } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

const SCHEDSTAT = "/proc/self/schedstat";
const LONG_MS = 20;

if (isMainThread && process.channel) {
  const file = existsSync(SCHEDSTAT) ? openSync(SCHEDSTAT, "r") : null;
  const text = Buffer.alloc(64);
  /** Milliseconds this thread has waited for a processor. */
  const waitedMs = () => {
    if (file === null) return 0;
    const length = readSync(file, text, 0, text.length, 0);
    return Number(text.toString("latin1", 0, length).split(" ")[1]) / 1e6;
  };
  let lastMs = performance.now();
  let lastWaitedMs = waitedMs();
  const NOTHING = { longestMs: 0, long: 0, longestGcMs: 0 };
  let seen = { ...NOTHING };
  // What of a turn the garbage collector took, to tell apart long work and long collections.
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.longestGcMs = Math.max(seen.longestGcMs, duration);
  }).observe({ entryTypes: ["gc"] });
  const look = () => {
    const nowMs = performance.now();
    const nowWaitedMs = waitedMs();
    const turnMs = nowMs - lastMs - (nowWaitedMs - lastWaitedMs);
    lastMs = nowMs;
    lastWaitedMs = nowWaitedMs;
    if (turnMs > seen.longestMs) seen.longestMs = turnMs;
    if (turnMs > LONG_MS) seen.long++;
  };
  setInterval(look, 1).unref();
  process.on("message", (asked) => {
    look();
    const { heapUsed } = asked === "read" ? process.memoryUsage() : { heapUsed: 0 };
    if (asked === "read") process.send({ ...seen, heapMb: heapUsed / 2 ** 20 });
    seen = { ...NOTHING };
  });
  process.channel.unref();
}
