/** Writes an export in tiles: a folder for each environment's log, laid out as C2SP tlog-tiles says. */
import { hash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  BESIDE_FILE,
  FIRST_ENTRIES,
  formatBundle,
  leafOf,
  MANIFEST_FILE,
  parseCheckpoint,
  parseKept,
  TILE_WIDTH,
  TileBuilder,
  tilePath,
} from "@sallyport/ledger";
import type { ExportedFile, HashTile, LogsStart } from "@sallyport/ledger";
import type { EnvironmentName } from "@sallyport/protocol";
import type { ExportWriter } from "./export-ledger.ts";
import { HashedFile } from "../disk/hashed-file.ts";
import { treeHash } from "@sallyport/ledger/node";

interface Log {
  readonly environment: EnvironmentName;
  readonly tiles: TileBuilder;
  readonly base: number;
  size: number;
  /** Of its checkpoint: what came after it is in the next export. */
  readonly end: number;
  entries: Buffer[];
  beside: HashedFile | null;
}

export class TilesWriter implements ExportWriter {
  readonly #root: string;
  readonly #start: LogsStart;
  readonly #only: EnvironmentName | undefined;
  readonly #logs = new Map<EnvironmentName, Log>();
  readonly #files: ExportedFile[] = [];

  constructor(root: string, start: LogsStart, only?: EnvironmentName) {
    this.#root = root;
    this.#start = start;
    this.#only = only;
    mkdirSync(root, { recursive: true, mode: 0o700 });
  }

  take(kept: string): boolean {
    const found = leafOf(treeHash, kept);
    if (!found || found.seq < this.#start.from) return false;
    const { environment, line, leaf } = found;
    if (this.#only !== undefined && environment !== this.#only) return false;
    const log = this.#logOf(environment);
    if (log.size >= log.end) return false;
    const tiles = log.tiles.append(leaf);
    // Of a record whose time is over the entry is empty, and its hash stands beside it.
    const beside = line === "" ? leaf : parseKept(kept).beside;
    if (beside !== "") this.#beside(log, `${log.size} ${beside}\n`);
    log.size++;
    log.entries.push(Buffer.from(line));
    if (log.size % TILE_WIDTH === 0) this.#bundle(log);
    for (const tile of tiles) this.#tile(log, tile);
    return true;
  }

  end(): readonly ExportedFile[] {
    for (const [environment, checkpoint] of this.#start.checkpoints) {
      if (this.#only !== undefined && environment !== this.#only) continue;
      const log = this.#logOf(environment);
      if (log.entries.length > 0) this.#bundle(log);
      for (const tile of log.tiles.partial()) this.#tile(log, tile);
      if (log.beside) this.#files.push({ path: `${environment}/${BESIDE_FILE}`, ...log.beside.close() });
      this.#file(`${environment}/checkpoint`, Buffer.from(checkpoint));
    }
    return this.#files;
  }

  finish(manifest: string): void {
    writeFileSync(join(this.#root, MANIFEST_FILE), manifest, { mode: 0o600 });
  }

  #logOf(environment: EnvironmentName): Log {
    let log = this.#logs.get(environment);
    if (!log) {
      const base = this.#start.bases.get(environment)?.size ?? 0;
      const tiles = new TileBuilder(treeHash, base);
      log = { environment, tiles, base, size: base, end: this.#endOf(environment), entries: [], beside: null };
      this.#logs.set(environment, log);
    }
    return log;
  }

  #endOf(environment: EnvironmentName): number {
    return parseCheckpoint(this.#start.checkpoints.get(environment) ?? "")?.size ?? 0;
  }

  /** The full bundle, or the last one. The first may lack its beginning, which retention has removed. */
  #bundle(log: Log): void {
    const count = log.entries.length;
    const first = log.size - count;
    const n = Math.floor(first / TILE_WIDTH);
    const path = first % TILE_WIDTH === 0 ? tilePath("entries", n, count) : FIRST_ENTRIES;
    this.#file(`${log.environment}/${path}`, formatBundle(log.entries));
    log.entries = [];
  }

  #tile({ environment }: Log, { level, n, width, bytes }: HashTile): void {
    this.#file(`${environment}/${tilePath(level, n, width)}`, bytes);
  }

  #file(path: string, bytes: Uint8Array): void {
    const full = join(this.#root, path);
    mkdirSync(dirname(full), { recursive: true, mode: 0o700 });
    writeFileSync(full, bytes, { mode: 0o600 });
    this.#files.push({ path, bytes: bytes.length, sha256: hash("sha256", bytes, "hex") });
  }

  #beside(log: Log, line: string): void {
    if (!log.beside) {
      mkdirSync(join(this.#root, log.environment), { recursive: true, mode: 0o700 });
      log.beside = new HashedFile(join(this.#root, log.environment, BESIDE_FILE));
    }
    log.beside.write(line);
  }
}
