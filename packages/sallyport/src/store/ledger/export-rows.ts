/** Writes an export of one line a record: a single file, its manifest beside it. */
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import type { ExportedFile } from "@sallyport/ledger";
import type { ExportWriter } from "./export-ledger.ts";
import { HashedFile } from "../disk/hashed-file.ts";

export class RowsWriter implements ExportWriter {
  readonly #file: HashedFile;
  readonly #aside: string;
  readonly #name: string;
  readonly #row: (kept: string) => string | undefined;

  /** `row` gives a record's line, without a newline; undefined leaves the record out. `name` is what the file will be called. */
  constructor(aside: string, out: string, row: (kept: string) => string | undefined) {
    this.#aside = aside;
    this.#name = basename(out);
    this.#file = new HashedFile(aside);
    this.#row = row;
  }

  take(kept: string): boolean {
    const row = this.#row(kept);
    if (row !== undefined) this.#file.write(`${row}\n`);
    return row !== undefined;
  }

  end(): readonly ExportedFile[] {
    return [{ path: this.#name, ...this.#file.close() }];
  }

  finish(manifest: string): void {
    writeFileSync(`${this.#aside}.manifest`, manifest, { mode: 0o600 });
  }
}
