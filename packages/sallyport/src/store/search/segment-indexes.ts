/**
 * The indexes of the segments: derived, one file each beside the ledger, made by the thread that reads it. An index counts
 * only when it carries a code of this gateway's own key and its segment has the very bytes it was made from (SHA-256,
 * looked at once a process and whenever the file's identity changes); else the segment is read whole. So a missing, old
 * or forged index makes a search slower and hides nothing that stands in the segment.
 */
import {
  chmodSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { parseEnded } from "@sallyport/ledger";
import { readRecord } from "./record-fields.ts";
import { indexName, listSegments } from "../ledger/segment-file.ts";
import type { Segment } from "../ledger/segment-file.ts";
import { IndexBuilder, SegmentIndex } from "./segment-index.ts";
import { digestSegment, scanSegment } from "./segment-scan.ts";
import type { SegmentDigest } from "./segment-scan.ts";

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
  /** Identities of segments that can have no index: damaged. */
  readonly #unfit = new Map<string, string>();

  /** `key` = 32 secret bytes. */
  constructor(directory: string, ledger: string, key: Buffer) {
    this.#directory = directory;
    this.#ledger = ledger;
    this.#key = key;
  }

  /** The index of a segment, open for reading at its beginning; undefined if there is no reliable one. */
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
    const found = digestSegment(file);
    if (found.bytes !== segment.bytes || found.sha256 !== segment.sha256) return false;
    this.#genuine.set(name, identity);
    return true;
  }

  async #build({ name, path, first }: Segment, file: number, identity: string): Promise<void> {
    const built = await buildFrom(file, first);
    if (!built) {
      this.#unfit.set(name, identity);
      return;
    }
    const made = built.builder.finish({ name, ...built.digest, first }, this.#key);
    // Not synced: what a power cut leaves of it lacks the code, and is made again.
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
async function buildFrom(
  file: number,
  first: number,
): Promise<{ readonly builder: IndexBuilder; readonly digest: SegmentDigest } | undefined> {
  const builder = new IndexBuilder();
  const scan = scanSegment(file);
  let count = 0;
  for (let next = scan.next(); ; next = scan.next()) {
    if (next.done) return count > 0 ? { builder, digest: next.value } : undefined;
    const { line, at } = next.value;
    const record = readRecord(line) ?? null;
    if ((record ?? parseEnded(line))?.seq !== first + count) return undefined;
    builder.add(record, at);
    if (++count % LINES_PER_TURN === 0) await turn();
  }
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
