/** The smallest honest zstd: one frame of raw blocks (RFC 8878), enough to send a body the real server would decode. */
const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

export function zstdRaw(body: Buffer): Buffer {
  // Single segment, 4-byte content size, no checksum; then one last raw block.
  const header = Buffer.alloc(5);
  header[0] = 0b1010_0000;
  header.writeUInt32LE(body.length, 1);
  const block = Buffer.alloc(3);
  block.writeUIntLE((body.length << 3) | 1, 0, 3);
  return Buffer.concat([MAGIC, header, block, body]);
}

export function unzstdRaw(frame: Buffer): Buffer | undefined {
  if (frame.length < 12 || !frame.subarray(0, 4).equals(MAGIC)) return undefined;
  const size = frame.readUIntLE(9, 3) >> 3;
  return frame.subarray(12, 12 + size);
}
