/** A gateway that may not go on with what it has on disk. */
import type { Log } from "../kernel/log.ts";

/**
 * Rows that the gateway did not write would grant rights that no administrator granted: the gateway stops as on a
 * signal, and the next start prints why.
 */
export function stopServing(log: Log, message: string): void {
  log.error(message);
  process.exitCode = 3;
  process.kill(process.pid, "SIGTERM");
}
