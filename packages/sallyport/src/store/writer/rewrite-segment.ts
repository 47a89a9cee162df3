/**
 * Rewrites a segment with other lines in their places: to a temporary file, synced, renamed, so that it is never half
 * one and half the other.
 */
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import type { DataPaths } from "../disk/data-paths.ts";
import { syncDirectory } from "../disk/durable-file.ts";
import { indexName } from "../ledger/segment-file.ts";
import type { Segment } from "../ledger/segment-file.ts";

const HELD_MAX = 256 * 1024;
const LINES_PER_TURN = 1_000;

/** `isWanted` is asked when all lines are on disk, before they take the old ones' place; false leaves these as they are. */
export async function rewriteSegment(
  paths: DataPaths,
  { name, path }: Segment,
  lines: Iterable<string>,
  isWanted: () => boolean,
): Promise<void> {
  const aside = `${path}.tmp`;
  try {
    await writeLines(aside, lines);
  } catch (error) {
    // On a full disk it would keep what is missing.
    await rm(aside, { force: true });
    throw error;
  }
  if (!isWanted()) return rm(aside);
  // The index holds what goes now; it is made again from what is left.
  await rm(join(paths.index, indexName(name)), { force: true });
  await rename(aside, path);
  syncDirectory(paths.ledger);
}

async function writeLines(path: string, lines: Iterable<string>): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    let held = "";
    let count = 0;
    for (const line of lines) {
      held += `${line}\n`;
      if (++count % LINES_PER_TURN === 0) await turn();
      if (held.length < HELD_MAX) continue;
      await file.appendFile(held);
      held = "";
    }
    await file.appendFile(held);
    await file.sync();
  } finally {
    await file.close();
  }
}
