/**
 * Files that are complete or absent after a kill or a power cut: written to a temporary file, synced, renamed,
 * directory synced.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Replaces `path` with `content`, mode 0600 unless another is given; on disk when it returns. */
export function writeDurably(path: string, content: string, mode = 0o600): void {
  const aside = `${path}.${process.pid}.tmp`;
  rmSync(aside, { force: true });
  const file = openSync(aside, "wx", mode);
  try {
    const bytes = Buffer.from(content);
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(aside, path);
  syncDirectory(dirname(path));
}

/** Writes a new file from a stream; on disk, and closed, when it resolves or rejects. */
export async function writeStream(path: string, chunks: AsyncIterable<Uint8Array>, mode = 0o600): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    for await (const chunk of chunks) await file.appendFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Replaces `path` with what the chunks make; on disk when it resolves, and as it was before when it rejects. */
export async function replaceDurably(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const aside = `${path}.${process.pid}.tmp`;
  await rm(aside, { force: true });
  try {
    await writeStream(aside, chunks);
    await rename(aside, path);
  } catch (cause) {
    await rm(aside, { force: true });
    throw cause;
  }
  await syncDirectoryLater(dirname(path));
}

async function syncDirectoryLater(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes renames and deletions in a directory durable. Windows has no such thing and needs none. */
export function syncDirectory(directory: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(directory, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
