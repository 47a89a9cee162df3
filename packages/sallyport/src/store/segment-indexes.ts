/**
 * The indexes of the segments: derived, one file each beside the ledger, made by the thread that reads it. An index counts
 * only when it carries a code of this gateway's own key and its segment has the very bytes it was made from (SHA-256,
 * looked at once a process and whenever the file's identity changes); else the segment is read whole. So a missing, old
 * or forged index makes a search slower and hides nothing that stands in the segment.
 */
import { hash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { parseEnded } from "@sallyport/protocol";
import { readRecord } from "./record-fields.ts";
import { indexName, linesOfBytes, listSegments } from "./segment-file.ts";
import type { Segment } from "./segment-file.ts";
import { IndexBuilder, SegmentIndex } from "./segment-index.ts";

/** Larger ones are not taken into memory: they are read line by line. */
const SEGMENT_BYTES_MAX = 512 * 1024 * 1024;
const HELD_BYTES_MAX = 32 * 1024 * 1024;
/** Others ask the same thread. */
const LINES_PER_TURN = 1_000;

interface Held {
  readonly index: SegmentIndex;
  /** Of the segment's file, when it was found to be the one. */
  readonly identity: string;
}

export class SegmentIndexes {
  readonly #directory: string;
  readonly #ledger: string;
  readonly #key: Buffer;
  /** In order of their last use. */
  readonly #held = new Map<string, Held>();
  #heldBytes = 0;
  /** Identities of segments that have the bytes their index names. */
  readonly #genuine = new Map<string, string>();
  /** Identities of segments that can have no index: damaged, or too large. */
  readonly #unfit = new Map<string, string>();

  /** `key` = 32 bytes nobody else has. */
  constructor(directory: string, ledger: string, key: Buffer) {
    this.#directory = directory;
    this.#ledger = ledger;
    this.#key = key;
  }

  /** The index of a segment, open for reading at its beginning; undefined where there is none to be relied on. */
  of(name: string, file: number): SegmentIndex | undefined {
    const identity = identityOf(file);
    const held = this.#held.get(name);
    if (held?.identity === identity) {
      this.#hold(name, held);
      return held.index;
    }
    const index = this.#read(name);
    if (!index || !this.#isGenuine(name, file, identity, index)) return undefined;
    this.#hold(name, { index, identity });
    return index;
  }

  /** Makes what is missing, oldest first, and removes what belongs to no segment. */
  async care(): Promise<void> {
    const segments = listSegments(this.#ledger);
    if (segments.length > 0) mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    this.#sweep(new Set(segments.map(({ name }) => indexName(name))));
    for (const segment of segments) {
      await this.#careFor(segment);
      await turn();
    }
  }

  async #careFor(segment: Segment): Promise<void> {
    const file = opened(segment.path);
    if (file === undefined) return;
    try {
      const identity = identityOf(file);
      if (this.#unfit.get(segment.name) === identity || this.of(segment.name, file)) return;
      await this.#build(segment, file, identity);
    } finally {
      closeSync(file);
    }
  }

  #read(name: string): SegmentIndex | undefined {
    let bytes: Buffer;
    try {
      bytes = readFileSync(join(this.#directory, indexName(name)));
    } catch {
      return undefined;
    }
    const index = SegmentIndex.open(bytes, this.#key);
    return index?.segment.name === name ? index : undefined;
  }

  #isGenuine(name: string, file: number, identity: string, { segment }: SegmentIndex): boolean {
    if (this.#genuine.get(name) === identity) return true;
    const bytes = readSegment(file);
    if (bytes?.length !== segment.bytes || hash("sha256", bytes, "hex") !== segment.sha256) return false;
    this.#genuine.set(name, identity);
    return true;
  }

  async #build({ name, path, first }: Segment, file: number, identity: string): Promise<void> {
    const bytes = readSegment(file);
    const builder = bytes && (await buildFrom(bytes, first));
    if (!builder) {
      this.#unfit.set(name, identity);
      return;
    }
    const indexed = { name, bytes: bytes.length, sha256: hash("sha256", bytes, "hex"), first };
    const made = builder.finish(indexed, this.#key);
    // Not synced: what a power cut leaves of it does not carry the code, and is made again.
    const target = join(this.#directory, indexName(name));
    writeFileSync(`${target}.tmp`, made, { mode: 0o600 });
    renameSync(`${target}.tmp`, target);
    const now = opened(path);
    const isSame = now !== undefined && identityOf(now) === identity;
    if (now !== undefined) closeSync(now);
    // Erased meanwhile: what was there before must not stay in the index.
    if (!isSame) return rmSync(target, { force: true });
    this.#genuine.set(name, identity);
    this.#hold(name, { index: SegmentIndex.open(made, this.#key)!, identity });
  }

  #hold(name: string, held: Held): void {
    this.#forget(name);
    this.#held.set(name, held);
    this.#heldBytes += held.index.size;
    for (const oldest of this.#held.keys()) {
      if (this.#heldBytes <= HELD_BYTES_MAX || oldest === name) return;
      this.#forget(oldest);
    }
  }

  #forget(name: string): void {
    this.#heldBytes -= this.#held.get(name)?.index.size ?? 0;
    this.#held.delete(name);
  }

  #sweep(names: ReadonlySet<string>): void {
    let present: readonly string[];
    try {
      chmodSync(this.#directory, 0o700);
      present = readdirSync(this.#directory);
    } catch {
      return;
    }
    for (const name of present.filter((one) => !names.has(one))) rmSync(join(this.#directory, name), { force: true });
    for (const name of this.#genuine.keys()) {
      if (names.has(indexName(name))) continue;
      this.#genuine.delete(name);
      this.#forget(name);
    }
  }
}

/** Undefined unless every line is a record in its place: what is damaged is read whole, so that nothing is passed over. */
async function buildFrom(bytes: Buffer, first: number): Promise<IndexBuilder | undefined> {
  const builder = new IndexBuilder();
  let count = 0;
  for (const { line, at } of linesOfBytes(bytes)) {
    const record = readRecord(line) ?? null;
    if ((record ?? parseEnded(line))?.seq !== first + count) return undefined;
    builder.add(record, at);
    if (++count % LINES_PER_TURN === 0) await turn();
  }
  return count > 0 ? builder : undefined;
}

/** All of it, whatever was read before; undefined for one that is too large. */
function readSegment(file: number): Buffer | undefined {
  const { size } = fstatSync(file);
  if (size > SEGMENT_BYTES_MAX) return undefined;
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (let count = -1; at < size && count !== 0; at += count) count = readSync(file, bytes, at, size - at, at);
  return bytes.subarray(0, at);
}

function opened(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    // Retention has removed it.
    return undefined;
  }
}

/** Another file, or the same one written to, has another identity. */
function identityOf(file: number): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = fstatSync(file, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}
