/**
 * How long a thread of this process has run on a processor. A thread's work is bounded by that if the kernel reports it
 * (Linux): on a busy machine, elapsed time says more about other programs.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";

/** Of the thread that calls; undefined where the kernel does not say. */
export function ownThreadId(): string | undefined {
  try {
    return basename(readlinkSync("/proc/thread-self"));
  } catch {
    return undefined;
  }
}

/** Milliseconds on a processor; undefined where the kernel does not say, or the thread has ended. */
export function threadRanMs(thread: string): number | undefined {
  try {
    const [ranNs] = readFileSync(`/proc/self/task/${thread}/schedstat`, "latin1").split(" ");
    return Number(ranNs) / 1e6;
  } catch {
    return undefined;
  }
}
