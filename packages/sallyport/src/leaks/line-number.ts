/** Counts lines from 1. Offsets that grow are counted on from the last one, so that many findings cost one walk. */
export class LineCounter {
  readonly #bytes: Buffer;
  #line: number;
  readonly #first: number;
  #at = 0;

  constructor(bytes: Buffer, first = 1) {
    this.#bytes = bytes;
    this.#first = first;
    this.#line = first;
  }

  /** The line in which the byte is. */
  lineOf(offset: number): number {
    if (offset < this.#at) {
      this.#at = 0;
      this.#line = this.#first;
    }
    for (let next = this.#bytes.indexOf(0x0a, this.#at); next >= 0 && next < offset;) {
      this.#line++;
      this.#at = next + 1;
      next = this.#bytes.indexOf(0x0a, this.#at);
    }
    return this.#line;
  }
}
