/** Files that are whole or absent after a kill or a power cut: written aside, synced, renamed, directory synced. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
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
