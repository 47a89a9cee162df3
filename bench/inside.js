// Loaded into a gateway or the pass-through with --import: how long from the moment a chunk of an upstream was read until
// its write to the caller has returned. What other processes on the same cores cost is not in it, as it is in every figure
// taken from outside: the time for which this thread could have run and the kernel ran somebody else is taken off, where
// the kernel tells it (Linux, /proc/thread-self/schedstat). SIGUSR2 writes what was seen since the last time to the file BENCH_INSIDE names.
import { existsSync, openSync, readSync, renameSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { Readable } from "node:stream";
import { isMainThread } from "node:worker_threads";

const SCHEDSTAT = "/proc/thread-self/schedstat";

if (isMainThread) {
  const file = existsSync(SCHEDSTAT) ? openSync(SCHEDSTAT, "r") : null;
  const text = Buffer.alloc(64);
  /** Milliseconds this thread has waited for a processor. */
  const waitedMs = () => {
    if (file === null) return 0;
    const length = readSync(file, text, 0, text.length, 0);
    return Number(text.toString("latin1", 0, length).split(" ")[1]) / 1e6;
  };
  let readMs = 0;
  let readWaitedMs = 0;
  let seenUs = [];
  // A server's connections are read by its parser and never pushed to: what is pushed came from an upstream.
  Socket.prototype.push = function (chunk, encoding) {
    if (chunk !== null) {
      readWaitedMs = waitedMs();
      readMs = performance.now();
    }
    return Readable.prototype.push.call(this, chunk, encoding);
  };
  const write = Socket.prototype._writeGeneric;
  Socket.prototype._writeGeneric = function (...words) {
    const done = write.apply(this, words);
    if (this.server && readMs > 0) {
      const tookMs = performance.now() - readMs;
      seenUs.push((tookMs - (waitedMs() - readWaitedMs)) * 1000);
      readMs = 0;
    }
    return done;
  };
  process.on("SIGUSR2", () => {
    const sorted = seenUs.toSorted((a, b) => a - b);
    seenUs = [];
    const at = (share) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
    const told = { count: sorted.length, p50: at(0.5), p99: at(0.99), longest: at(1) };
    writeFileSync(`${process.env.BENCH_INSIDE}.new`, JSON.stringify(told));
    renameSync(`${process.env.BENCH_INSIDE}.new`, process.env.BENCH_INSIDE);
  });
}
