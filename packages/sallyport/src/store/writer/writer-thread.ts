/** Entry of the writer's thread. */
import { statfsSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { runWriter } from "./run-writer.ts";
import type { WriterSetup } from "./writer-messages.ts";

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

if (parentPort) await runWriter(parentPort, workerData as WriterSetup, { freeBytes });
