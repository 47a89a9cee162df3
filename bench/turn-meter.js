// Loaded into the gateway with --import: the longest turn of the thread that serves requests, asked for over the IPC channel.
//
// A turn is what the loop does between two looks at its sockets, which is how long a token that has arrived must wait. A
// timer of one millisecond fires in every round of the loop, so the time between two of its calls is one round. It is not
// split by callbacks or promises: a thousand short ones in one round hold up a stream as one long one does.
//
// Counted is the processor time of this thread in the round, where the kernel tells it (Linux, schedstat): a figure of the
// program, and on a machine of its own the same as the time that passes. Beside it stands the time that passed (`wallMs`),
// less what the kernel gave to others while this thread could have run. On a machine that others use that is longer: the
// collector's helper threads get no processor, and this thread sleeps until they are done. Reads from a disk that must be
// waited for are in the second figure only.
import { existsSync, openSync, readSync } from "node:fs";
import { constants, PerformanceObserver } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

const SCHEDSTAT = "/proc/self/schedstat";
const LONG_MS = 20;

if (isMainThread && process.channel) {
  const file = existsSync(SCHEDSTAT) ? openSync(SCHEDSTAT, "r") : null;
  const text = Buffer.alloc(64);
  /** Milliseconds this thread has run, and has waited for a processor. */
  const times = () => {
    if (file === null) return [performance.now(), 0];
    const length = readSync(file, text, 0, text.length, 0);
    const [ranNs, waitedNs] = text.toString("latin1", 0, length).split(" ");
    return [Number(ranNs) / 1e6, Number(waitedNs) / 1e6];
  };
  const { NODE_PERFORMANCE_GC_MAJOR: MAJOR, NODE_PERFORMANCE_GC_MINOR: MINOR } = constants;
  const KINDS = { [MAJOR]: "of all", [MINOR]: "of what is young" };
  const NOTHING = { longestMs: 0, beganMs: 0, endedMs: 0, wallMs: 0, long: 0, gcMs: 0, gcKind: "" };
  let lastMs = performance.now();
  let [lastRanMs, lastWaitedMs] = times();
  let seen = { ...NOTHING };
  // What the garbage collector took, helpers and waiting for them included: time that passed, not processor time.
  let collections = [];
  new PerformanceObserver((list) => {
    for (const { startTime, duration, detail } of list.getEntries()) {
      collections.push({ startTime, duration });
      if (duration > seen.gcMs) Object.assign(seen, { gcMs: duration, gcKind: KINDS[detail.kind] ?? "" });
    }
  }).observe({ entryTypes: ["gc"] });
  const look = () => {
    const nowMs = performance.now();
    const [ranMs, waitedMs] = times();
    const turnMs = ranMs - lastRanMs;
    if (turnMs > seen.longestMs) Object.assign(seen, { longestMs: turnMs, beganMs: lastMs, endedMs: nowMs });
    seen.wallMs = Math.max(seen.wallMs, nowMs - lastMs - (waitedMs - lastWaitedMs));
    if (turnMs > LONG_MS) seen.long++;
    [lastMs, lastRanMs, lastWaitedMs] = [nowMs, ranMs, waitedMs];
  };
  // Only while somebody measures: a look each millisecond takes some 5 % of a core.
  let looking;
  process.on("message", (asked) => {
    if (asked === "begin") {
      [lastMs, [lastRanMs, lastWaitedMs]] = [performance.now(), times()];
      seen = { ...NOTHING };
      collections = [];
      looking = setInterval(look, 1).unref();
      return;
    }
    look();
    clearInterval(looking);
    const whole = seen;
    // Collections are told some rounds after they were.
    setTimeout(() => {
      const within = collections.filter(
        ({ startTime, duration }) => startTime + duration > whole.beganMs && startTime < whole.endedMs,
      );
      const collectedMs = within.reduce((sum, { duration }) => sum + duration, 0);
      process.send({ ...whole, collectedMs, heapMb: process.memoryUsage().heapUsed / 2 ** 20 });
    }, 20);
  });
  process.channel.unref();
}
