/**
 * The archive of a backup: plain tar (POSIX ustar, regular files only), so that it can be read without this program.
 * Written and read as a stream: no file is held in memory whole.
 */
import { Problem } from "@sallyport/protocol";

const BLOCK = 512;
const OCTAL_MAX = 8 ** 11 - 1;
const NAME_MAX = 100;

export interface ArchiveEntry {
  readonly name: string;
  readonly bytes: number;
  /** Of an entry that was read: to be read to its end before the next one. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Throws when an entry's content is not as long as it was said to be. */
export async function* writeArchive(entries: AsyncIterable<ArchiveEntry>): AsyncGenerator<Uint8Array> {
  for await (const { name, bytes, content } of entries) {
    yield header(name, bytes);
    let left = bytes;
    for await (const chunk of content) {
      left -= chunk.length;
      yield chunk;
    }
    if (left !== 0) throw new Problem("conflict", `${name} changed while it was copied`);
    yield padding(bytes);
  }
  yield Buffer.alloc(2 * BLOCK);
}

/** Throws `input_invalid` for what is no archive of this form, or ends too early, or goes on too long. */
export async function* readArchive(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ArchiveEntry> {
  const bytes = new Bytes(chunks);
  for (;;) {
    const block = await bytes.exactly(BLOCK);
    if (block.every((byte) => byte === 0)) break;
    const { name, size } = readHeader(block);
    let left = size;
    yield {
      name,
      bytes: size,
      content: (async function* content() {
        while (left > 0) {
          const chunk = await bytes.upTo(left);
          left -= chunk.length;
          yield chunk;
        }
      })(),
    };
    if (left > 0) throw new TypeError("an entry was not read to its end");
    if ((await bytes.exactly(padding(size).length)).some((byte) => byte !== 0)) throw damaged();
  }
  if ((await bytes.exactly(BLOCK)).some((byte) => byte !== 0) || !(await bytes.isAtEnd())) throw damaged();
}

export function damaged(): Problem {
  return new Problem("input_invalid", "the backup is damaged or truncated: nothing was restored");
}

function padding(bytes: number): Buffer {
  return Buffer.alloc((BLOCK - (bytes % BLOCK)) % BLOCK);
}

function header(name: string, bytes: number): Buffer {
  if (!/^[\x21-\x7e]+$/.test(name) || name.length > NAME_MAX) throw new TypeError(`${name} is no name of an entry`);
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  for (const [text, at] of [
    ["0000600", 100],
    ["0000000", 108],
    ["0000000", 116],
    ["00000000000", 136],
  ] as const)
    block.write(text, at);
  if (bytes <= OCTAL_MAX) block.write(bytes.toString(8).padStart(11, "0"), 124);
  else {
    // Beyond 8 GiB, as GNU tar, bsdtar and others write it: the number itself, with the first bit set.
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(bytes), 128);
  }
  block.write("0", 156);
  block.write("ustar\x0000", 257, "latin1");
  block.write(`${checksum(block).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function readHeader(block: Buffer): { readonly name: string; readonly size: number } {
  const name = /^[\x21-\x7e]+/.exec(block.toString("latin1", 0, NAME_MAX))?.[0] ?? "";
  const isLarge = block[124] === 0x80;
  const size = isLarge ? Number(block.readBigUInt64BE(128)) : Number.parseInt(block.toString("latin1", 124, 135), 8);
  const sum = Number.parseInt(block.toString("latin1", 148, 154), 8);
  // Nothing is left to interpret: a header is the very bytes that are written for this name and size.
  if (sum !== checksum(block) || name === "" || !Number.isSafeInteger(size) || !header(name, size).equals(block))
    throw damaged();
  return { name, size };
}

/** Of a header, its own field counted as blanks. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (const [at, byte] of block.entries()) if (at < 148 || at >= 156) sum += byte;
  return sum;
}

/** A stream of chunks, read by counts. */
class Bytes {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async isAtEnd(): Promise<boolean> {
    while (this.#held.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return true;
      this.#held = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
    return false;
  }

  /** At least one byte and at most `count`. */
  async upTo(count: number): Promise<Buffer> {
    if (await this.isAtEnd()) throw damaged();
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(taken.length);
    return taken;
  }

  async exactly(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = count; left > 0;) {
      const part = await this.upTo(left);
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts);
  }
}
