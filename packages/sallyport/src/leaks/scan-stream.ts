/** Scans a stream of unknown length, such as standard input. */
import { PieceScanner, scanSource } from "./scan-source.ts";
import type { ScanListener } from "./scan-source.ts";

const WHOLE_MAX = 64 * 1024 * 1024;

export async function scanStream(
  stream: AsyncIterable<Buffer | string>,
  file: string,
  listener: ScanListener,
): Promise<void> {
  let waiting: Buffer[] = [];
  let size = 0;
  let pieces: PieceScanner | undefined;
  for await (const chunk of stream) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    waiting.push(bytes);
    size += bytes.length;
    if (size < WHOLE_MAX) continue;
    if (!pieces) {
      pieces = new PieceScanner(file, listener);
      listener.onSkip(file, `longer than ${WHOLE_MAX} bytes: an archive in it was scanned as bytes only`);
    }
    pieces.push(Buffer.concat(waiting));
    waiting = [];
    size = 0;
  }
  const bytes = Buffer.concat(waiting);
  if (pieces) {
    pieces.push(bytes);
    pieces.end();
  } else scanSource({ size, readAt: (from, length) => bytes.subarray(from, from + length) }, file, listener);
}
