/**
 * Bytes kept on the disk for the day it is full: deleted then, so that revocations still commit, and made again when
 * there is room. While it is gone the store is lean: it takes administrative changes and nothing else.
 */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";

/** What the reserve asks the disk; another one is handed in to try out a full disk. */
export interface Disk {
  /** Bytes a file may still take. */
  freeBytes(directory: string): number;
}

/** Free space that must remain in addition, so that the disk is not full again at once. */
const ROOM_BESIDE_BYTES = 16 * 1024 * 1024;
const BLOCK = Buffer.alloc(1024 * 1024);

export class DiskReserve {
  readonly #path: string;
  readonly #directory: string;
  readonly #bytes: number;
  readonly #disk: Disk;
  #isHeld = false;

  /** `bytes` 0 = no reserve; a full disk then stops changes too. */
  constructor(path: string, directory: string, bytes: number, disk: Disk) {
    this.#path = path;
    this.#directory = directory;
    this.#bytes = bytes;
    this.#disk = disk;
  }

  /** False from a full disk until there is room again. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  release(): void {
    this.#isHeld = false;
    rmSync(this.#path, { force: true });
  }

  /** Makes the reserve if there is room for it and some more; says whether it is held. Never throws. */
  tryHold(): boolean {
    if (this.#isHeld) return true;
    try {
      const present = existsSync(this.#path) ? statSync(this.#path).size : 0;
      if (present !== this.#bytes) {
        const needed = this.#bytes + Math.min(this.#bytes, ROOM_BESIDE_BYTES);
        if (present + this.#disk.freeBytes(this.#directory) < needed) return false;
        this.#write();
      }
      this.#isHeld = true;
    } catch {
      this.#isHeld = false;
    }
    return this.#isHeld;
  }

  /** Zeros are really written: a file with a hole in it would reserve nothing. */
  #write(): void {
    const aside = `${this.#path}.tmp`;
    try {
      const file = openSync(aside, "w", 0o600);
      try {
        for (let left = this.#bytes; left > 0;) left -= writeSync(file, BLOCK, 0, Math.min(left, BLOCK.length));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(aside, this.#path);
    } finally {
      rmSync(aside, { force: true });
    }
  }
}
