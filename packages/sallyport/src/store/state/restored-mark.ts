/**
 * The mark of a restored directory: keys that were revoked after the backup would work again, so nothing is served
 * until the restore is confirmed. It is a file, which exists from before the database is in its place until the
 * confirmation.
 */
import { existsSync, rmSync } from "node:fs";
import { Problem } from "@sallyport/protocol";
import { readBounded } from "@sallyport/ledger/node";
import type { DataPaths } from "../disk/data-paths.ts";
import { syncDirectory, writeDurably } from "../disk/durable-file.ts";
import { flag, json, object, text, wholeNumber } from "../disk/json-shape.ts";
import type { ShapeOf } from "../disk/json-shape.ts";

const markShape = json(
  object({
    /** Epoch ms. */
    backupAt: wholeNumber,
    restoredAt: wholeNumber,
    /** The last record of the backup. */
    seq: wholeNumber,
    hash: text,
    epoch: wholeNumber,
    version: text,
    /** 1 once the ledger has it. */
    isRecorded: flag,
  }),
);

const MARK_BYTES_MAX = 64 * 1024;

export type RestoredMark = ShapeOf<typeof markShape>;

/** Undefined where nothing was restored, or it was confirmed. Throws `store_unavailable` for a damaged mark: it still is one. */
export function readRestoredMark({ restored }: DataPaths): RestoredMark | undefined {
  if (!existsSync(restored)) return undefined;
  try {
    return markShape(readBounded(restored, MARK_BYTES_MAX)?.toString("utf8"), "mark");
  } catch {
    throw new Problem("store_unavailable", `${restored} is damaged: restore the backup again`);
  }
}

export function formatRestoredMark(mark: RestoredMark): string {
  return `${JSON.stringify({ ...mark, isRecorded: mark.isRecorded ? 1 : 0 })}\n`;
}

export function markRecorded({ restored }: DataPaths, mark: RestoredMark): void {
  writeDurably(restored, formatRestoredMark({ ...mark, isRecorded: true }));
}

export function removeRestoredMark({ restored, root }: DataPaths): void {
  rmSync(restored, { force: true });
  syncDirectory(root);
}
