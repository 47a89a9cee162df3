/**
 * What a start has opened, so that a start that fails leaves nothing behind: no listener, no timer, no lock. Each part says
 * how it is closed as soon as it is open; the parts are closed in reverse, each within a bound, whatever the others do.
 */
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";

/** A part that does not close, such as a thread that waits for a broken disk, must not keep the process. */
const PATIENCE_MS = 3_000;

export class Undo {
  readonly #closers: { readonly what: string; readonly close: () => unknown }[] = [];
  readonly #log: Pick<Log, "error">;

  readonly #patienceMs: number;

  constructor(log: Pick<Log, "error">, patienceMs = PATIENCE_MS) {
    this.#log = log;
    this.#patienceMs = patienceMs;
  }

  add(what: string, close: () => unknown): void {
    this.#closers.push({ what, close });
  }

  async all(): Promise<void> {
    for (const { what, close } of this.#closers.splice(0).reverse()) {
      try {
        await within(this.#patienceMs, close);
      } catch (cause) {
        this.#log.error({ what, cause: causeOf(cause) }, "a part of a failed start did not close");
      }
    }
  }
}

async function within(ms: number, close: () => unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not closed after ${ms} ms`)), ms);
  });
  try {
    await Promise.race([Promise.resolve().then(close), late]);
  } finally {
    clearTimeout(timer);
  }
}
