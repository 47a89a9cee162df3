/** A file that is written line by line and knows its size and hash when it is closed. */
import { createHash } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";

const HELD_MAX = 256 * 1024;

export class HashedFile {
  readonly #file: number;
  readonly #hash = createHash("sha256");
  #held = "";
  #bytes = 0;

  /** A new file, 0600; its directory is there. */
  constructor(path: string) {
    this.#file = openSync(path, "wx", 0o600);
  }

  write(text: string): void {
    this.#held += text;
    if (this.#held.length >= HELD_MAX) this.#flush();
  }

  close(): { readonly bytes: number; readonly sha256: string } {
    this.#flush();
    closeSync(this.#file);
    return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }

  #flush(): void {
    const bytes = Buffer.from(this.#held);
    this.#held = "";
    this.#hash.update(bytes);
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
    this.#bytes += bytes.length;
  }
}
