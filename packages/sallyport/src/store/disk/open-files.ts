/**
 * Whether the database's files are still those that were opened. A file that is deleted or replaced under a running
 * program keeps accepting writes that no one will ever read: what is acknowledged then is lost at the next start.
 */
import { statSync } from "node:fs";

export class OpenFiles {
  readonly #paths: readonly string[];
  readonly #opened: readonly (string | null)[];

  /** To be made when the files are open. */
  constructor(database: string) {
    this.#paths = [database, `${database}-wal`];
    this.#opened = this.#paths.map(identityOf);
  }

  /** The first that is gone or another one now; undefined while all are the same. */
  replaced(): string | undefined {
    return this.#paths.find((path, i) => this.#opened[i] !== null && identityOf(path) !== this.#opened[i]);
  }
}

function identityOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.dev}:${found.ino}` : null;
}
