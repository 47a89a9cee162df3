/**
 * The writer on a disk whose size the test decides: the file `disk` beside the data directory says how many pages the
 * database may have. A change that removes the environment `dies` ends the thread, as a crash would.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { runWriter } from "../../packages/sallyport/dist/store/writer/run-writer.js";

const disk = () => JSON.parse(readFileSync(join(workerData.directory, "..", "disk"), "utf8"));

parentPort.on("message", (message) => {
  if (message.kind === "change" && message.change.operations.some(({ name }) => name === "dies")) process.exit(1);
});
await runWriter(parentPort, workerData, { freeBytes: () => disk().freeBytes, maxPages: () => disk().pages });
