/** What a witness remembers: one file a log, named by the SHA-256 of the log's origin, replaced whole. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { hash } from "node:crypto";
import { join } from "node:path";
import { parseCheckpoint } from "@sallyport/ledger";
import type { SignedCheckpoint } from "@sallyport/ledger";

export class WitnessState {
  readonly #folder: string;
  readonly #write: (path: string, text: string) => void;

  /** `write` puts a file on the disk before it returns. */
  constructor(folder: string, write: (path: string, text: string) => void) {
    this.#folder = folder;
    this.#write = write;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** The newest checkpoint that was cosigned, with all signatures; throws where its file is no checkpoint any more. */
  read(origin: string): { readonly text: string; readonly checkpoint: SignedCheckpoint } | undefined {
    return this.byHash(hash("sha256", origin, "hex"));
  }

  byHash(originHash: string): { readonly text: string; readonly checkpoint: SignedCheckpoint } | undefined {
    const path = join(this.#folder, originHash);
    if (!existsSync(path)) return undefined;
    const text = readFileSync(path, "utf8");
    const checkpoint = parseCheckpoint(text);
    // Treated as empty, it would let a log start again.
    if (!checkpoint)
      throw new Error(`${path} is damaged: put it back, or this witness cannot vouch for its log any more`);
    return { text, checkpoint };
  }

  keep(origin: string, text: string): void {
    this.#write(join(this.#folder, hash("sha256", origin, "hex")), text);
  }
}
