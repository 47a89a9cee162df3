/**
 * The index of one segment, as bytes: which blocks of 256 lines hold which values. The sets are exact, so a search reads
 * only blocks that can match. Form: length of the head (32 bits, big endian), head (JSON), body, and HMAC-SHA-256 over
 * all of it. The body has, for each name, a table of offsets and its values in order of their bytes, each with the
 * numbers of its blocks as differences (LEB128).
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { AuditRecord } from "../../audit/audit-log.ts";
import { searched, searchedNames } from "./record-fields.ts";
import type { SearchedName } from "./record-fields.ts";
import type { WantedField } from "./record-match.ts";

export const BLOCK_LINES = 256;
const FORM = "sallyport index 1";
const MAC_BYTES = 32;
/** Of a block in which there is no record. */
const LATEST = Number.MAX_SAFE_INTEGER;

/** The segment an index is of: it counts for no other bytes. */
export interface IndexedSegment {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Sequence number of its first record; the others follow without a gap. */
  readonly first: number;
}

interface Block {
  /** Where its first line begins, bytes. */
  readonly at: number;
  /** Earliest and latest time of its records, epoch ms. */
  from: number;
  to: number;
}

interface Head {
  readonly form: string;
  readonly segment: IndexedSegment;
  readonly count: number;
  readonly blocks: readonly Block[];
  /** Where the values of a name begin in the body, and how many there are. */
  readonly names: Readonly<Record<string, { readonly at: number; readonly count: number }>>;
}

export class IndexBuilder {
  readonly #values = new Map<SearchedName, Map<string, number[]>>(searchedNames.map((name) => [name, new Map()]));
  readonly #blocks: Block[] = [];
  #count = 0;

  /** `at` = where the record's line begins, bytes. Records come in order; null = one that has ended, which nothing finds. */
  add(record: AuditRecord | null, at: number): void {
    if (this.#count++ % BLOCK_LINES === 0) this.#blocks.push({ at, from: LATEST, to: -LATEST });
    if (record === null) return;
    const number = this.#blocks.length - 1;
    const block = this.#blocks[number]!;
    block.from = Math.min(block.from, record.at);
    block.to = Math.max(block.to, record.at);
    for (const name of searchedNames) {
      const values = this.#values.get(name)!;
      for (const value of searched[name](record)) {
        const held = values.get(value);
        if (!held) values.set(value, [number]);
        else if (held.at(-1) !== number) held.push(number);
      }
    }
  }

  finish(segment: IndexedSegment, key: Buffer): Buffer {
    const names: Record<string, { at: number; count: number }> = {};
    const sections: Buffer[] = [];
    let at = 0;
    for (const [name, values] of this.#values) {
      const section = encodeValues(values);
      names[name] = { at, count: values.size };
      sections.push(section);
      at += section.length;
    }
    const head: Head = { form: FORM, segment, count: this.#count, blocks: this.#blocks, names };
    const headBytes = Buffer.from(JSON.stringify(head));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(headBytes.length);
    const whole = Buffer.concat([length, headBytes, ...sections]);
    return Buffer.concat([whole, macOf(whole, key)]);
  }
}

export interface IndexBounds {
  readonly after: number;
  readonly before: number;
  readonly since: number;
  readonly until: number;
}

export class SegmentIndex {
  readonly #bytes: Buffer;
  readonly #head: Head;
  readonly #body: number;

  private constructor(bytes: Buffer, head: Head, body: number) {
    this.#bytes = bytes;
    this.#head = head;
    this.#body = body;
  }

  /** Undefined for bytes that were not made with this key: nothing of them is looked at before. */
  static open(bytes: Buffer, key: Buffer): SegmentIndex | undefined {
    const end = bytes.length - MAC_BYTES;
    if (end < 4 || !timingSafeEqual(macOf(bytes.subarray(0, end), key), bytes.subarray(end))) return undefined;
    const length = bytes.readUInt32BE(0);
    const head = JSON.parse(bytes.toString("utf8", 4, 4 + length)) as Head;
    return head.form === FORM ? new SegmentIndex(bytes, head, 4 + length) : undefined;
  }

  get segment(): IndexedSegment {
    return this.#head.segment;
  }

  get size(): number {
    return this.#bytes.length;
  }

  /** Number of its last record. */
  get last(): number {
    return this.#head.segment.first + this.#head.count - 1;
  }

  /** Where the lines of a block stand in the segment, bytes. */
  rangeOf(block: number): { readonly from: number; readonly to: number } {
    const { blocks, segment } = this.#head;
    return { from: blocks[block]!.at, to: blocks[block + 1]?.at ?? segment.bytes };
  }

  /** Blocks that can hold a record with all that is wanted, in order. */
  blocks(wanted: readonly WantedField[], { after, before, since, until }: IndexBounds): readonly number[] {
    const { blocks, segment, count } = this.#head;
    // Known values first: if they leave no block, no address needs to be compared with networks.
    const inOrder = wanted.toSorted((a, b) => Number(a.values === null) - Number(b.values === null));
    let left = [...blocks.keys()].filter((number) => {
      const block = blocks[number]!;
      const first = segment.first + number * BLOCK_LINES;
      const last = Math.min(first + BLOCK_LINES, segment.first + count) - 1;
      return last > after && first < before && block.to >= since && block.from <= until;
    });
    for (const one of inOrder) {
      if (left.length === 0) return left;
      const set = this.#blocksWith(one);
      left = left.filter((number) => set.has(number));
    }
    return left;
  }

  #blocksWith({ name, values, accepts }: WantedField): ReadonlySet<number> {
    const found = new Set<number>();
    const section = this.#head.names[name];
    if (!section) return new Set(this.#head.blocks.keys());
    if (values) for (const value of values) this.#collect(this.#find(section, Buffer.from(value)), found);
    else for (let i = 0; i < section.count; i++) this.#collectWhere(this.#entry(section, i), accepts, found);
    return found;
  }

  /** Where the entry of that value begins and ends; undefined without one. */
  #find(section: { readonly at: number; readonly count: number }, value: Buffer) {
    for (let low = 0, high = section.count - 1; low <= high;) {
      const middle = (low + high) >> 1;
      const entry = this.#entry(section, middle);
      const [length, at] = readNumber(this.#bytes, entry.from);
      const order = value.compare(this.#bytes, at, at + length);
      if (order === 0) return entry;
      if (order < 0) high = middle - 1;
      else low = middle + 1;
    }
    return undefined;
  }

  #entry({ at, count }: { readonly at: number; readonly count: number }, i: number) {
    const table = this.#body + at;
    const values = table + 4 * (count + 1);
    const from = values + this.#bytes.readUInt32BE(table + 4 * i);
    return { from, to: values + this.#bytes.readUInt32BE(table + 4 * (i + 1)) };
  }

  #collectWhere(entry: { from: number; to: number }, accepts: WantedField["accepts"], found: Set<number>): void {
    const [length, at] = readNumber(this.#bytes, entry.from);
    if (accepts(this.#bytes.toString("utf8", at, at + length))) this.#collect(entry, found);
  }

  #collect(entry: { from: number; to: number } | undefined, found: Set<number>): void {
    if (!entry) return;
    const [length, at] = readNumber(this.#bytes, entry.from);
    let block = 0;
    for (let next = at + length; next < entry.to;) {
      const [step, after] = readNumber(this.#bytes, next);
      block += step;
      found.add(block);
      next = after;
    }
  }
}

function macOf(bytes: Buffer, key: Buffer): Buffer {
  return createHmac("sha256", key).update(bytes).digest();
}

function encodeValues(values: ReadonlyMap<string, readonly number[]>): Buffer {
  const entries = [...values]
    .map(([value, blocks]) => ({ bytes: Buffer.from(value), blocks }))
    .sort((a, b) => a.bytes.compare(b.bytes));
  const table = Buffer.alloc(4 * (entries.length + 1));
  const parts: Buffer[] = [table];
  let at = 0;
  for (const [i, { bytes, blocks }] of entries.entries()) {
    const numbers: number[] = [];
    blocks.forEach((block, n) => writeNumber(numbers, block - (blocks[n - 1] ?? 0)));
    const length: number[] = [];
    writeNumber(length, bytes.length);
    const entry = Buffer.concat([Buffer.from(length), bytes, Buffer.from(numbers)]);
    parts.push(entry);
    at += entry.length;
    table.writeUInt32BE(at, 4 * (i + 1));
  }
  return Buffer.concat(parts);
}

function writeNumber(to: number[], value: number): void {
  for (; value > 0x7f; value >>>= 7) to.push((value & 0x7f) | 0x80);
  to.push(value);
}

/** The number and where the next one begins. */
function readNumber(bytes: Buffer, at: number): readonly [number, number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at];
  }
}
