/** An export while it is verified: where its files lie, what it is verified by, and how far that has got. */
import type { LedgerCrypto, Pins } from "./check-log.ts";
import type { ExportManifest } from "./export-manifest.ts";
import type { RecordTimes } from "./record-times.ts";

/** Where an export lies. Paths are relative, with slashes. */
export interface ExportFiles {
  /** Every file there is, but the manifest. */
  readonly paths: () => readonly string[];
  /** Undefined for a missing file. A large file may be given in parts. */
  readonly read: (path: string) => Iterable<Uint8Array> | undefined;
  /** Lower-case hex of SHA-256 over the parts. */
  readonly sha256: (parts: Iterable<Uint8Array>) => string;
  readonly manifest: () => string | undefined;
}

export interface ExportWalk {
  readonly files: ExportFiles;
  readonly manifest: ExportManifest;
  readonly crypto: LedgerCrypto;
  readonly pins: Pins;
  readonly times: RecordTimes;
  records: number;
  /** Of which only the hash is left. */
  ended: number;
}
