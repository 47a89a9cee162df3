/**
 * Every key in memory, compactly: an unknown id is answered without touching the disk, and of an ordinary key (one
 * secret, no door of its own, nothing under way) the whole record is there, in 128 bytes of one array and what it
 * shares with others. Open addressing over 5 bytes a slot, at most half full, so a million keys take some 140 MB.
 * A row has a number, which stays the key's; keys are never taken out.
 */
import type { KeyRecord } from "./key.ts";
import { KeyShapes, SharedTexts } from "./key-shapes.ts";

/** Bytes of a row: two lines of a processor's cache. The first has what finds and verifies, the second the rest. */
const ROW = 128;
const ID_LENGTH = 12;
const NAME_MAX = 15;
/** A megabyte, of which memory is taken as it is written to; many small ones would cost a miss of the cache more. */
const ROWS_PER_CHUNK = 8_192;

/** Places within a row, each in units of its own array. */
const BYTE = { hash: 0, id: 32, nameLength: 112, name: 113 };
const WORD = { shape: 11, environment: 12, owner: 13, generation: 26, createdBy: 27 };
const TIME = { expiresAt: 7, createdAt: 8, secretCreatedAt: 9, rotatedAt: 10, idleSince: 11, lifetimeMs: 12 };

interface Chunk {
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  readonly times: Float64Array;
}

const NONE: readonly never[] = Object.freeze([]);

export class KeyTable {
  /** Eight bits of a key's mark, zero where the slot is empty: of an unknown id nothing else is looked at, mostly. */
  #tags = new Uint8Array(1_024);
  #rows = new Uint32Array(1_024);
  #count = 0;
  readonly #chunks: Chunk[] = [];
  readonly #shapes = new KeyShapes();
  readonly #texts = new SharedTexts();
  /** Names that do not fit in their rows. */
  readonly #names = new Map<number, string>();
  /** Rows of ids that are none of ours (a damaged row's), or of an environment too many. */
  readonly #odd = new Map<string, number>();

  get size(): number {
    return this.#count;
  }

  /** Memory of rows and slots, bytes. */
  get bytes(): number {
    return this.#count * ROW + this.#tags.byteLength + this.#rows.byteLength;
  }

  /** The key's row; -1 where there is no such key. */
  rowOf(environment: string, id: string): number {
    if (id.length !== ID_LENGTH) return this.#oddRow(environment, id);
    const mark = markOf(environment, id);
    const tag = tagOf(mark);
    const tags = this.#tags;
    const mask = tags.length - 1;
    for (let slot = mark & mask; ; slot = (slot + 1) & mask) {
      const held = tags[slot];
      if (held === 0) return this.#odd.size === 0 ? -1 : this.#oddRow(environment, id);
      if (held === tag && this.#is(this.#rows[slot]!, environment, id)) return this.#rows[slot]!;
    }
  }

  #oddRow(environment: string, id: string): number {
    return this.#odd.get(`${environment}/${id}`) ?? -1;
  }

  #is(row: number, environment: string, id: string): boolean {
    const { bytes, words } = this.#chunks[Math.trunc(row / ROWS_PER_CHUNK)]!;
    const at = row % ROWS_PER_CHUNK;
    const start = at * ROW + BYTE.id;
    for (let i = 0; i < ID_LENGTH; i++) if (bytes[start + i] !== id.charCodeAt(i)) return false;
    return this.#texts.at(words[(at * ROW) / 4 + WORD.environment]!) === environment;
  }

  /** The key's row, made where there is none. */
  add(environment: string, id: string): number {
    const held = this.rowOf(environment, id);
    if (held >= 0) return held;
    const row = this.#count++;
    if (row % ROWS_PER_CHUNK === 0) this.#chunks.push(newChunk());
    const shared = this.#texts.numberOf(environment);
    if (id.length !== ID_LENGTH || !isLatin1(id) || shared === 0) {
      this.#odd.set(`${environment}/${id}`, row);
      return row;
    }
    const { bytes, words } = this.#chunks.at(-1)!;
    const at = row % ROWS_PER_CHUNK;
    bytes.write(id, at * ROW + BYTE.id, "latin1");
    words[(at * ROW) / 4 + WORD.environment] = shared;
    if (this.#count > this.#tags.length / 2) this.#grow();
    this.#insert(markOf(environment, id), row);
    return row;
  }

  #insert(mark: number, row: number): void {
    const mask = this.#tags.length - 1;
    let slot = mark & mask;
    while (this.#tags[slot] !== 0) slot = (slot + 1) & mask;
    this.#tags[slot] = tagOf(mark);
    this.#rows[slot] = row;
  }

  #grow(): void {
    const { length } = this.#tags;
    const [tags, rows] = [this.#tags, this.#rows];
    this.#tags = new Uint8Array(2 * length);
    this.#rows = new Uint32Array(2 * length);
    for (let slot = 0; slot < length; slot++) {
      if (tags[slot] === 0) continue;
      const row = rows[slot]!;
      const { bytes, words } = this.#chunkOf(row);
      const start = (row % ROWS_PER_CHUNK) * ROW;
      const id = bytes.toString("latin1", start + BYTE.id, start + BYTE.id + ID_LENGTH);
      this.#insert(markOf(this.#texts.at(words[start / 4 + WORD.environment]!), id), row);
    }
  }

  /** Whether the row has its record. */
  isFilled(row: number): boolean {
    return this.#chunkOf(row).words[((row % ROWS_PER_CHUNK) * ROW) / 4 + WORD.shape] !== 0;
  }

  /** Takes the record into the row; false for one that is not ordinary, which the row then does not have. */
  put(row: number, record: KeyRecord): boolean {
    this.clear(row);
    const secret = record.secrets[0];
    if (!secret || !isOrdinary(record)) return false;
    const owner = record.owner === null ? 0 : this.#texts.numberOf(record.owner);
    const createdBy = this.#texts.numberOf(record.createdBy);
    const shape = this.#shapes.numberOf(record, secret.pepperVersion);
    if (createdBy === 0 || shape === 0 || (owner === 0 && record.owner !== null)) return false;
    const { bytes, words, times } = this.#chunkOf(row);
    const start = (row % ROWS_PER_CHUNK) * ROW;
    bytes.set(secret.hash, start + BYTE.hash);
    const word = start / 4;
    words[word + WORD.shape] = shape;
    words[word + WORD.owner] = owner;
    words[word + WORD.generation] = secret.generation;
    words[word + WORD.createdBy] = createdBy;
    const time = start / 8;
    times[time + TIME.expiresAt] = secret.expiresAt ?? NaN;
    times[time + TIME.createdAt] = record.createdAt;
    times[time + TIME.secretCreatedAt] = secret.createdAt;
    times[time + TIME.rotatedAt] = record.rotatedAt ?? NaN;
    times[time + TIME.idleSince] = record.idleSince;
    times[time + TIME.lifetimeMs] = record.lifetimeMs ?? NaN;
    const { name } = record;
    const isShort = name.length <= NAME_MAX && isLatin1(name);
    bytes[start + BYTE.nameLength] = isShort ? name.length : NAME_MAX + 1;
    if (isShort) bytes.write(name, start + BYTE.name, "latin1");
    else this.#names.set(row, name);
    return true;
  }

  /** Forgets the row's record, not the row. */
  clear(row: number): void {
    const { bytes, words } = this.#chunkOf(row);
    const start = (row % ROWS_PER_CHUNK) * ROW;
    if (bytes[start + BYTE.nameLength]! > NAME_MAX) this.#names.delete(row);
    words[start / 4 + WORD.shape] = 0;
    bytes[start + BYTE.nameLength] = 0;
  }

  /** The record of a filled row, as the store gives it. */
  record(row: number, environment: string, id: string): KeyRecord {
    const { bytes, words, times } = this.#chunkOf(row);
    const start = (row % ROWS_PER_CHUNK) * ROW;
    const word = start / 4;
    const time = start / 8;
    const { state, reason, told, ceiling, limits, pepperVersion } = this.#shapes.at(words[word + WORD.shape]!);
    const owner = words[word + WORD.owner]!;
    // A copy: a change of the key writes over the row, and a record once given does not change.
    const hash = Buffer.allocUnsafe(32);
    for (let i = 0; i < 32; i++) hash[i] = bytes[start + BYTE.hash + i]!;
    const shared = words[word + WORD.environment]!;
    return {
      // The asked one may be a piece of a key's text, and would keep all of it in memory.
      environment: shared === 0 ? environment : this.#texts.at(shared),
      id,
      name: this.#nameOf(row, bytes, start),
      owner: owner === 0 ? null : this.#texts.at(owner),
      state,
      reason,
      secrets: [
        {
          generation: words[word + WORD.generation]!,
          state: "active",
          hash,
          pepperVersion,
          createdAt: times[time + TIME.secretCreatedAt]!,
          expiresAt: timeOrNull(times[time + TIME.expiresAt]!),
          endsAt: null,
        },
      ],
      rotation: null,
      rotatedAt: timeOrNull(times[time + TIME.rotatedAt]!),
      frozenAt: null,
      lifetimeMs: timeOrNull(times[time + TIME.lifetimeMs]!),
      told,
      idleSince: times[time + TIME.idleSince]!,
      ceiling,
      limits,
      admin: null,
      createdAt: times[time + TIME.createdAt]!,
      createdBy: this.#texts.at(words[word + WORD.createdBy]!),
      networks: null,
      binding: null,
      require: NONE,
      signers: NONE,
      pathSecret: null,
      workloads: NONE,
      session: null,
      isDecoy: false,
    };
  }

  #nameOf(row: number, bytes: Buffer, start: number): string {
    const length = bytes[start + BYTE.nameLength]!;
    if (length > NAME_MAX) return this.#names.get(row)!;
    return bytes.toString("latin1", start + BYTE.name, start + BYTE.name + length);
  }

  #chunkOf(row: number): Chunk {
    return this.#chunks[Math.trunc(row / ROWS_PER_CHUNK)]!;
  }
}

/** One secret in use, and nothing that a row has no place for. Whatever is not named here must be null or empty. */
function isOrdinary(record: KeyRecord): boolean {
  const [secret] = record.secrets;
  return (
    record.secrets.length === 1 &&
    secret!.state === "active" &&
    secret!.endsAt === null &&
    secret!.hash.length === 32 &&
    secret!.generation >= 0 &&
    secret!.generation < 2 ** 32 &&
    record.rotation === null &&
    record.frozenAt === null &&
    record.admin === null &&
    !record.isDecoy &&
    record.networks === null &&
    record.binding === null &&
    record.require.length === 0 &&
    record.signers.length === 0 &&
    record.pathSecret === null &&
    record.workloads.length === 0 &&
    record.session === null
  );
}

function newChunk(): Chunk {
  const memory = new ArrayBuffer(ROWS_PER_CHUNK * ROW);
  return {
    bytes: Buffer.from(memory),
    words: new Uint32Array(memory),
    times: new Float64Array(memory),
  };
}

function timeOrNull(time: number): number | null {
  return Number.isNaN(time) ? null : time;
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}

/** FNV-1a, its upper half folded into the lower, which places it. */
function markOf(environment: string, id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < environment.length; i++) hash = Math.imul(hash ^ environment.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ 0x5f, 0x01000193);
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function tagOf(mark: number): number {
  return mark >>> 24 || 1;
}
