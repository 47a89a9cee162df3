/**
 * A large start leaves several times as much garbage as it keeps: rows that were read, and tables in the making. The first
 * full collection would end in one long turn some time later (seen at 100,000 keys: 45 to 60 ms, most of it moving what
 * lives out of pages that are nearly empty), while streams run. So it is done before anybody is served.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** A small start has nothing to collect, and does not wait for it. */
const HEAP_BYTES_MIN = 128 * 2 ** 20;

/** True where there was so much that it was collected. */
export function collectStart(
  heapBytes: number = process.memoryUsage().heapUsed,
  collect: () => void = collectEverything,
): boolean {
  if (heapBytes < HEAP_BYTES_MIN) return false;
  collect();
  return true;
}

/** The engine's own collection has no other name, and only contexts made after the flag have it. */
function collectEverything(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  setFlagsFromString("--no-expose-gc");
  collect();
}
