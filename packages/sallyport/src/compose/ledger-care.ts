/**
 * What a running gateway does for its audit log: creates missing indexes of segments, and records a heartbeat every few
 * minutes.
 */
import { readdir } from "node:fs/promises";
import { HEARTBEAT_MS } from "@sallyport/ledger";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import { dataPaths } from "../store/disk/data-paths.ts";
import type { AuditLink } from "../store/search/audit-link.ts";
import type { Core } from "./core.ts";

const EVERY_MS = 60_000;

/** Stops when told to. A small log, which has no segments, starts no thread. */
export function careForIndexes(directory: string, audit: Pick<AuditLink, "care">, log: Log): () => void {
  const look = makeLook(directory, audit);
  const timer = setInterval(() => {
    void look().catch((cause: unknown) => log.warn({ cause: causeOf(cause) }, "the audit log could not be indexed"));
  }, EVERY_MS).unref();
  return () => clearInterval(timer);
}

/**
 * One check. The first one also compares existing indexes with their segments: that takes seconds for a large log, and
 * a search for a stolen key should not wait for it.
 */
export function makeLook(directory: string, audit: Pick<AuditLink, "care">): () => Promise<void> {
  const paths = dataPaths(directory);
  let areCompared = false;
  return async function look() {
    const [segments, indexes] = await Promise.all([
      countOf(paths.ledger, ".jsonl"),
      // Before the first index there is no folder.
      countOf(paths.index, ".idx").catch(() => 0),
    ]);
    if (segments === indexes && (areCompared || segments === 0)) return;
    await audit.care();
    areCompared = true;
  };
}

async function countOf(folder: string, ending: string): Promise<number> {
  return (await readdir(folder)).filter((name) => name.endsWith(ending)).length;
}

/** Returns a function that stops it. */
export function beat(
  record: (fields: { readonly records: number; readonly epoch: number }) => Promise<void>,
  { store, snapshot }: Pick<Core, "store" | "snapshot">,
  log: Log,
): () => void {
  const once = (): void => {
    record({ records: store.figures().records, epoch: snapshot().epoch }).catch((cause: unknown) =>
      log.error({ cause: causeOf(cause) }, "the heartbeat could not be recorded"),
    );
  };
  const beating = setInterval(once, HEARTBEAT_MS).unref();
  return () => clearInterval(beating);
}
