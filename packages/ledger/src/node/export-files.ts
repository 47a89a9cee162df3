/** An export as it lies on a disk, for the verifier: a folder with its manifest in it, or a file with it beside. */
import { createHash } from "node:crypto";
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { MANIFEST_FILE, MANIFEST_LENGTH_MAX } from "../index.ts";
import type { ExportFiles } from "../index.ts";
import { readBounded } from "./read-bounded.ts";

const PART_BYTES = 1024 * 1024;

/** `onRead` is called with the number of bytes read until now. */
export function exportFilesAt(path: string, onRead: (bytes: number) => void = () => {}): ExportFiles {
  let bytes = 0;
  const count = (more: number): void => onRead((bytes += more));
  const isFolder = statSync(path).isDirectory();
  const root = isFolder ? path : dirname(path);
  const manifest = isFolder ? join(path, MANIFEST_FILE) : `${path}.manifest`;
  return {
    paths: () => (isFolder ? pathsUnder(path) : [basename(path)]),
    read: (name) =>
      statSync(join(root, name), { throwIfNoEntry: false })?.isFile() ? partsOf(join(root, name), count) : undefined,
    sha256(parts) {
      const sum = createHash("sha256");
      for (const part of parts) sum.update(part);
      return sum.digest("hex");
    },
    manifest: () =>
      statSync(manifest, { throwIfNoEntry: false })?.isFile()
        ? readBounded(manifest, MANIFEST_LENGTH_MAX)?.toString("utf8")
        : undefined,
  };
}

/** Whatever is there, a link as well: only what the manifest names may be. */
function pathsUnder(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((name) => name !== MANIFEST_FILE);
}

function* partsOf(path: string, onPart: (bytes: number) => void): Generator<Uint8Array> {
  const file = openSync(path, "r");
  try {
    for (;;) {
      const part = Buffer.allocUnsafe(PART_BYTES);
      const count = readSync(file, part, 0, PART_BYTES, null);
      if (count === 0) return;
      onPart(count);
      yield part.subarray(0, count);
    }
  } finally {
    closeSync(file);
  }
}
