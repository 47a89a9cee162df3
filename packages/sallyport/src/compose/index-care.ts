/** Looks once a minute whether a segment of the ledger has no index yet; the thread that reads the ledger makes it. */
import { readdir } from "node:fs/promises";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import type { AuditLink } from "../store/audit-link.ts";
import { dataPaths } from "../store/data-paths.ts";

const EVERY_MS = 60_000;

/** Ends when it is told to. A small ledger, which has no segments, starts no thread by this. */
export function careForIndexes(directory: string, audit: Pick<AuditLink, "care">, log: Log): () => void {
  const paths = dataPaths(directory);
  const look = async (): Promise<void> => {
    const [segments, indexes] = await Promise.all([
      countOf(paths.ledger, ".jsonl"),
      // Before the first it is not there.
      countOf(paths.index, ".idx").catch(() => 0),
    ]);
    if (segments !== indexes) await audit.care();
  };
  const timer = setInterval(() => {
    void look().catch((cause: unknown) => log.warn({ cause: causeOf(cause) }, "the ledger could not be indexed"));
  }, EVERY_MS).unref();
  return () => clearInterval(timer);
}

async function countOf(folder: string, ending: string): Promise<number> {
  return (await readdir(folder)).filter((name) => name.endsWith(ending)).length;
}
