/**
 * Lines in a file (0600), on disk before the batch counts as delivered. The file is opened for each batch, so one that
 * was moved or deleted is created again. At its maximum size it becomes `.1`, older ones move up, and the oldest is
 * deleted.
 */
import { open, rename, rm, stat } from "node:fs/promises";
import { taken } from "./sink.ts";
import type { Delivered, Outgoing, Sink } from "./sink.ts";

export interface FileSinkOptions {
  readonly path: string;
  readonly rotateBytes: number;
  /** Older files that are kept. */
  readonly keep: number;
}

export class FileSink implements Sink {
  readonly batch = { records: 500, lingerMs: 0 };
  readonly #options: FileSinkOptions;

  constructor(options: FileSinkOptions) {
    this.#options = options;
  }

  async send(batch: readonly Outgoing[]): Promise<Delivered> {
    await this.#rotateWhenDue();
    const file = await open(this.#options.path, "a", 0o600);
    try {
      await file.appendFile(batch.map(({ text }) => `${text}\n`).join(""));
      await file.sync();
    } finally {
      await file.close();
    }
    return taken;
  }

  async close(): Promise<void> {}

  async #rotateWhenDue(): Promise<void> {
    const { path, rotateBytes, keep } = this.#options;
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size < rotateBytes) return;
    await rm(`${path}.${keep}`, { force: true });
    for (let n = keep - 1; n >= 1; n--) await rename(`${path}.${n}`, `${path}.${n + 1}`).catch(ignoreMissing);
    if (keep > 0) await rename(path, `${path}.1`);
    else await rm(path);
  }
}

function ignoreMissing(cause: NodeJS.ErrnoException): void {
  if (cause.code !== "ENOENT") throw cause;
}
