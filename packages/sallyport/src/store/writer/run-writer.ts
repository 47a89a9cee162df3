/** The writer on its thread: opens it, passes messages to it, stops on request. */
import type { MessagePort } from "node:worker_threads";
import { Problem } from "@sallyport/protocol";
import { systemClock } from "../../kernel/clock.ts";
import type { Disk } from "../disk/disk-reserve.ts";
import { Writer } from "./writer.ts";
import type { FromWriter, ToWriter, WriterSetup } from "./writer-messages.ts";

/** `maxPages`, where given, is asked again whenever the reserve comes or goes. */
export async function runWriter(
  port: MessagePort,
  setup: WriterSetup,
  disk: Disk & { maxPages?: () => number | null },
): Promise<void> {
  const post = (message: FromWriter): void => port.postMessage(message);
  let writer: Writer;
  try {
    writer = new Writer(setup, {
      post,
      freeBytes: (path) => disk.freeBytes(path),
      monotonic: () => systemClock.monotonic(),
      maxPages: disk.maxPages ?? (() => setup.maxPages),
    });
    await writer.start();
  } catch (error) {
    const isSaid = error instanceof Problem;
    post({
      kind: "failed",
      problem: isSaid
        ? { code: error.code, detail: error.message }
        : { code: "store_unavailable", detail: String(error) },
    });
    port.close();
    return;
  }
  const opened = writer;
  port.on("message", (message: ToWriter) => {
    if (message.kind === "close") void opened.close().finally(() => port.close());
    else opened.take(message);
  });
  post({ kind: "ready", isOpen: opened.isOpen, records: opened.records, headAt: opened.headAt });
}
