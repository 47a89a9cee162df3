/**
 * Every key in memory, compactly: an unknown id is rejected without touching the disk, and for an ordinary key (one
 * secret, no access conditions, no rotation) the whole record fits in 128 bytes (`key-rows.ts`) and shared parts. With
 * the slots that find it (`key-slots.ts`), a million keys take about 140 MB. A row has a number, which stays the key's;
 * keys are never removed.
 */
import type { KeyRecord } from "./key.ts";
import { KeyRows, ROW_BYTES, startOf } from "./key-rows.ts";
import { KeyShapes, SharedTexts } from "./key-shapes.ts";
import { KeySlots } from "./key-slots.ts";

const ID_LENGTH = 12;
const NAME_MAX = 15;

/**
 * Positions within a row, each in units of its array. What finds, verifies and decides is in the first of the two cache
 * lines.
 */
const BYTE = { hash: 0, id: 32, nameLength: 112, name: 113 };
const WORD = { shape: 11, environment: 12, owner: 13, generation: 26, createdBy: 27 };
const TIME = { expiresAt: 7, createdAt: 8, secretCreatedAt: 9, rotatedAt: 10, idleSince: 11, lifetimeMs: 12 };

const NONE: readonly never[] = Object.freeze([]);

export class KeyTable {
  readonly #slots = new KeySlots();
  readonly #rows = new KeyRows();
  readonly #shapes = new KeyShapes();
  readonly #texts = new SharedTexts();
  /** Names that do not fit in their rows. */
  readonly #names = new Map<number, string>();
  /** Rows of ids that are not ours (from a damaged row), or of one environment too many. */
  readonly #odd = new Map<string, number>();

  get size(): number {
    return this.#rows.count;
  }

  /** Memory of rows and slots, bytes. */
  get bytes(): number {
    return this.size * ROW_BYTES + this.#slots.bytes;
  }

  /** The key's row; -1 where there is no such key. */
  rowOf(environment: string, id: string): number {
    if (id.length !== ID_LENGTH) return this.#oddRow(environment, id);
    const mark = markOf(environment, id);
    const slots = this.#slots;
    for (let slot = slots.first(mark); slot >= 0; slot = slots.next(slot, mark)) {
      const row = slots.rowAt(slot);
      if (this.#is(row, environment, id)) return row;
    }
    return this.#odd.size === 0 ? -1 : this.#oddRow(environment, id);
  }

  #oddRow(environment: string, id: string): number {
    return this.#odd.get(`${environment}/${id}`) ?? -1;
  }

  #is(row: number, environment: string, id: string): boolean {
    const { bytes, words } = this.#rows.of(row);
    const start = startOf(row);
    for (let i = 0; i < ID_LENGTH; i++) if (bytes[start + BYTE.id + i] !== id.charCodeAt(i)) return false;
    return this.#texts.at(words[start / 4 + WORD.environment]!) === environment;
  }

  /** The key's row, created if it is missing. */
  add(environment: string, id: string): number {
    const held = this.rowOf(environment, id);
    if (held >= 0) return held;
    const row = this.#rows.add();
    const shared = this.#texts.numberOf(environment);
    if (id.length !== ID_LENGTH || !isLatin1(id) || shared === 0) {
      this.#odd.set(`${environment}/${id}`, row);
      return row;
    }
    const { bytes, words } = this.#rows.of(row);
    const start = startOf(row);
    write(bytes, start + BYTE.id, id);
    words[start / 4 + WORD.environment] = shared;
    this.#slots.insert(row, markOf(environment, id), (other) => this.#markAt(other));
    return row;
  }

  /** The mark of a row's key; -1 of an odd one. */
  #markAt(row: number): number {
    const { bytes, words } = this.#rows.of(row);
    const start = startOf(row);
    const environment = words[start / 4 + WORD.environment]!;
    if (environment === 0) return -1;
    let id = "";
    for (let i = 0; i < ID_LENGTH; i++) id += String.fromCharCode(bytes[start + BYTE.id + i]!);
    return markOf(this.#texts.at(environment), id);
  }

  /** Whose row it is; undefined of an odd one. */
  placeAt(row: number): { readonly environment: string; readonly id: string } | undefined {
    const { bytes, words } = this.#rows.of(row);
    const start = startOf(row);
    const environment = words[start / 4 + WORD.environment]!;
    if (environment === 0) return undefined;
    return { environment: this.#texts.at(environment), id: textAt(bytes, start + BYTE.id, ID_LENGTH) };
  }

  /** Whether the row has its record. */
  isFilled(row: number): boolean {
    return this.#rows.of(row).words[startOf(row) / 4 + WORD.shape] !== 0;
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
    const { bytes, words, times } = this.#rows.of(row);
    const start = startOf(row);
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
    if (isShort) write(bytes, start + BYTE.name, name);
    else this.#names.set(row, name);
    return true;
  }

  /** Forgets the row's record, not the row. */
  clear(row: number): void {
    const { bytes, words } = this.#rows.of(row);
    const start = startOf(row);
    if (bytes[start + BYTE.nameLength]! > NAME_MAX) this.#names.delete(row);
    words[start / 4 + WORD.shape] = 0;
    bytes[start + BYTE.nameLength] = 0;
  }

  /** The record of a filled row, as the store gives it. */
  record(row: number, environment: string, id: string): KeyRecord {
    const { bytes, words, times } = this.#rows.of(row);
    const start = startOf(row);
    const word = start / 4;
    const time = start / 8;
    const { state, reason, told, ceiling, limits, pepperVersion } = this.#shapes.at(words[word + WORD.shape]!);
    const owner = words[word + WORD.owner]!;
    // A copy: a change of the key overwrites the row, and a record once returned does not change. From the pool:
    // comparing a small separate array would move its bytes first (0.5 us).
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

  #nameOf(row: number, bytes: Uint8Array, start: number): string {
    const length = bytes[start + BYTE.nameLength]!;
    return length > NAME_MAX ? this.#names.get(row)! : textAt(bytes, start + BYTE.name, length);
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

function timeOrNull(time: number): number | null {
  return Number.isNaN(time) ? null : time;
}

function write(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}

/** The text of so many bytes, at most 15. A quarter of what a decoder costs for so few: it has not to be called. */
function textAt(bytes: Uint8Array, at: number, length: number): string {
  // prettier-ignore
  return String.fromCharCode(
    bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!, bytes[at + 4]!, bytes[at + 5]!, bytes[at + 6]!, bytes[at + 7]!,
    bytes[at + 8]!, bytes[at + 9]!, bytes[at + 10]!, bytes[at + 11]!, bytes[at + 12]!, bytes[at + 13]!, bytes[at + 14]!,
  ).slice(0, length);
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
