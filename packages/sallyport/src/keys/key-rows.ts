/**
 * The memory of the key table's rows. It grows by blocks, each as large as all before it: there are few of them, so what
 * leads to a row is in the processor's nearest cache, and nothing is ever copied. The system gives memory as it is
 * written to.
 */

/** Bytes of a row: two lines of the processor's cache, which cost hardly more than one (measured). */
export const ROW_BYTES = 128;
const FIRST_ROWS = 8_192;
const FIRST_BITS = Math.log2(FIRST_ROWS);

/** One block, as bytes and as units of 4 and 8 of them. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly times: Float64Array;
}

export class KeyRows {
  #count = 0;
  readonly #blocks: Block[] = [];

  get count(): number {
    return this.#count;
  }

  /** Another row, all zero; its number. */
  add(): number {
    const row = this.#count++;
    if (blockOf(row) === this.#blocks.length) this.#blocks.push(newBlock(row === 0 ? FIRST_ROWS : row));
    return row;
  }

  /** The block that has the row, from `startOf(row)` on. */
  of(row: number): Block {
    return this.#blocks[blockOf(row)]!;
  }
}

/** 0 for the first 8,192 rows, 1 for as many again, 2 for twice as many… */
function blockOf(row: number): number {
  return 32 - Math.clz32(row >>> FIRST_BITS);
}

/** Where the row begins in its block, bytes. */
export function startOf(row: number): number {
  const above = row >>> FIRST_BITS;
  const first = above === 0 ? 0 : FIRST_ROWS << (31 - Math.clz32(above));
  return (row - first) * ROW_BYTES;
}

function newBlock(rows: number): Block {
  const memory = new ArrayBuffer(rows * ROW_BYTES);
  return { bytes: new Uint8Array(memory), words: new Uint32Array(memory), times: new Float64Array(memory) };
}
