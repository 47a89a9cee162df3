/** CRC-32 (IEEE 802.3, reflected, as in zlib). It catches typing and copying mistakes; it is not security. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** The unsigned 32-bit checksum of an ASCII text's first `length` characters. */
export function crc32(text: string, length = text.length): number {
  let value = 0xffffffff;
  for (let i = 0; i < length; i++) value = TABLE[(value ^ text.charCodeAt(i)) & 0xff]! ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
