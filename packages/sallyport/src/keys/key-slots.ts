/**
 * Finds the rows that may be a key's, by open addressing. A slot is 32 bits: the row's number in the lower ones and in
 * the rest a tag, bits of the key's mark, so that a lookup costs one line of the processor's cache here and no row is
 * looked at in vain. At most half of the slots are full. Rows are never taken out.
 */

const SLOTS_LEAST = 1_024;

export class KeySlots {
  /** Zero where the slot is empty: a tag is never zero. */
  #slots = new Uint32Array(SLOTS_LEAST);
  /** As many as the number of a row may take, which is below half the number of slots. */
  #rowBits = Math.log2(SLOTS_LEAST) - 1;

  get bytes(): number {
    return this.#slots.byteLength;
  }

  /** The first slot whose row may have that mark; -1 without one. */
  first(mark: number): number {
    return this.#from(mark & (this.#slots.length - 1), mark);
  }

  /** The next one after it. */
  next(slot: number, mark: number): number {
    return this.#from((slot + 1) & (this.#slots.length - 1), mark);
  }

  #from(slot: number, mark: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const rowBits = this.#rowBits;
    const tag = tagOf(mark, rowBits);
    for (; ; slot = (slot + 1) & mask) {
      const held = slots[slot]!;
      if (held === 0) return -1;
      if (held >>> rowBits === tag) return slot;
    }
  }

  rowAt(slot: number): number {
    return this.#slots[slot]! & ((1 << this.#rowBits) - 1);
  }

  /** Adds the row. If there is no room for more, it asks for the mark of each row below again (-1: not here). */
  insert(row: number, mark: number, markOf: (row: number) => number): void {
    if (row >= this.#slots.length / 2) {
      this.#slots = new Uint32Array(2 * this.#slots.length);
      this.#rowBits++;
      // By row and not by slot: their memory is read from its beginning to its end.
      for (let held = 0; held < row; held++) {
        const its = markOf(held);
        if (its >= 0) this.#put(held, its);
      }
    }
    this.#put(row, mark);
  }

  #put(row: number, mark: number): void {
    const mask = this.#slots.length - 1;
    let slot = mark & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = (tagOf(mark, this.#rowBits) << this.#rowBits) | row;
  }
}

function tagOf(mark: number, rowBits: number): number {
  return mark >>> rowBits || 1;
}
