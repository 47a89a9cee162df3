/**
 * Fills the table of keys from the store in the background of a start: in short turns, with pauses, so that neither the
 * start nor a request waits for it. A key that is used before its turn is read by itself.
 */
import type { KeyDirectory } from "./directory.ts";
import type { KeyRecord } from "./key.ts";

/** Keys of one turn: a millisecond or two. */
const TURN = 64;
/** Between two turns, so that filling takes no more than about a third of one core. */
const PAUSE_MS = 4;

export interface Filling {
  /** Resolves when every key was looked at or it was stopped; rejects where the store cannot be read. */
  readonly filled: Promise<void>;
  stop(): void;
}

type ListKeys = (page: { readonly after?: string; readonly limit: number }) => readonly KeyRecord[];

export function fillKeyTable(
  keys: Pick<KeyDirectory, "foresee">,
  listKeys: ListKeys,
  pauseMs: number = PAUSE_MS,
): Filling {
  let isStopped = false;
  async function fill(): Promise<void> {
    let after: string | undefined;
    for (;;) {
      await pause(pauseMs);
      if (isStopped) return;
      // Read and applied in one turn: the feed reports whatever is committed later.
      const page = listKeys({ ...(after !== undefined && { after }), limit: TURN });
      for (const record of page) keys.foresee(record);
      const last = page.at(-1);
      if (!last || page.length < TURN) return;
      after = `${last.environment}/${last.id}`;
    }
  }
  return { filled: fill(), stop: () => void (isStopped = true) };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref());
}
