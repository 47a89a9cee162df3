/**
 * Short texts by row, in which a piece is found without an index of pieces: a thousand of them are one string, and the
 * engine's own search goes through it at about a gigabyte a second. Texts are compared in lower case.
 */

/** Rows of one block: searching it takes far less than a slice of long work. */
export const BLOCK_ROWS = 1_024;
/** Between two texts; no text may contain it, and nothing that is searched for does. */
const SEPARATOR = "\n";

interface Block {
  /** All texts, each with its separator. */
  joined: string;
  /** Where each begins in it, and the end. */
  readonly starts: Uint32Array;
  /** What has changed since it was joined. */
  changed: Map<number, string> | null;
}

export class TextBlocks {
  readonly #blocks: Block[] = [];

  put(row: number, text: string): void {
    const block = this.#block(Math.floor(row / BLOCK_ROWS));
    block.changed ??= new Map();
    block.changed.set(row % BLOCK_ROWS, text.toLowerCase().replaceAll(SEPARATOR, " "));
  }

  /** In lower case; empty without one. */
  textOf(row: number): string {
    const { joined, starts, changed } = this.#block(Math.floor(row / BLOCK_ROWS));
    const place = row % BLOCK_ROWS;
    return changed?.get(place) ?? joined.slice(starts[place]!, starts[place + 1]! - 1);
  }

  /** Compares what comes before `end` in the row's text with another text, which does not contain it, and makes no string. */
  compareStart(row: number, end: number, text: string): number {
    const { joined, starts, changed } = this.#block(Math.floor(row / BLOCK_ROWS));
    const changedText = changed?.get(row % BLOCK_ROWS);
    const whole = changedText ?? joined;
    const from = changedText === undefined ? starts[row % BLOCK_ROWS]! : 0;
    for (let i = 0; ; i++) {
      const mine = whole.charCodeAt(from + i);
      const other = i < text.length ? text.charCodeAt(i) : end;
      if (mine !== other) return mine === end ? -1 : other === end ? 1 : mine - other;
      if (mine === end) return 0;
    }
  }

  /** Marks (1) the places of one block whose texts contain the piece, which is in lower case. */
  find(index: number, piece: string, marks: Uint8Array): void {
    const { joined, starts } = joinedBlock(this.#block(index));
    let place = 0;
    for (let at = joined.indexOf(piece); at >= 0; at = joined.indexOf(piece, starts[place + 1])) {
      place = placeOf(starts, at, place);
      marks[place] = 1;
    }
  }

  #block(index: number): Block {
    while (this.#blocks.length <= index)
      this.#blocks.push({
        joined: SEPARATOR.repeat(BLOCK_ROWS),
        starts: Uint32Array.from({ length: BLOCK_ROWS + 1 }, (_, place) => place),
        changed: null,
      });
    return this.#blocks[index]!;
  }
}

function joinedBlock(block: Block): Block {
  const { changed, joined, starts } = block;
  if (changed === null) return block;
  const texts: string[] = [];
  for (let place = 0; place < BLOCK_ROWS; place++)
    texts.push(changed.get(place) ?? joined.slice(starts[place]!, starts[place + 1]! - 1));
  let at = 0;
  for (const [place, text] of texts.entries()) {
    starts[place] = at;
    at += text.length + 1;
  }
  starts[BLOCK_ROWS] = at;
  block.joined = texts.join(SEPARATOR) + SEPARATOR;
  block.changed = null;
  return block;
}

/** The last place that begins at `at` or before, from `from` on. */
function placeOf(starts: Uint32Array, at: number, from: number): number {
  let [low, high] = [from, BLOCK_ROWS - 1];
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (starts[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}
