/** Where everything stands in the data directory. Directories are 0700; files are 0600, but for the public key. */
import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";

export interface DataPaths {
  readonly root: string;
  readonly database: string;
  readonly secrets: string;
  /** The key-encryption key, unless the settings say another place. */
  readonly keyEncryptionKey: string;
  /** The data keys, wrapped by the key-encryption key. */
  readonly dataKeys: string;
  /** Exists while records are re-encrypted. */
  readonly rekey: string;
  readonly signingKey: string;
  readonly peppers: string;
  /** The environments that have a pepper: a lost pepper is detected, not replaced. */
  readonly pepperList: string;
  /** Credentials of model servers, and which of them are drained. */
  readonly upstreams: string;
  /** Segments of the ledger and its public key: what an auditor takes along. */
  readonly ledger: string;
  readonly publicKey: string;
  /** Indexes of its segments: derived, in no backup, made again where they are missing. */
  readonly index: string;
  /**
   * How far each sink has been delivered, and what it rejected. In no backup: a restored gateway starts with new
   * records.
   */
  readonly sinks: string;
  /** Copies of the database made before its schema was upgraded. */
  readonly backups: string;
  /** Bytes kept for administrative changes when the disk is full. */
  readonly reserve: string;
  /** Exists from a restore until it is confirmed. */
  readonly restored: string;
  /** One folder each: its state, evidence, proofs and report. */
  readonly incidents: string;
  /** What was learned of how keys are used. */
  readonly watch: string;
  /** What was used of budgets in their present windows. */
  readonly quotas: string;
  readonly lock: string;
  readonly lockHolder: string;
}

export function dataPaths(root: string): DataPaths {
  return {
    root,
    database: join(root, "sallyport.db"),
    secrets: join(root, "secrets"),
    keyEncryptionKey: join(root, "secrets", "kek"),
    dataKeys: join(root, "secrets", "data-keys.json"),
    rekey: join(root, "secrets", "rekey.json"),
    signingKey: join(root, "secrets", "ledger-signing.pem"),
    peppers: join(root, "secrets", "peppers"),
    pepperList: join(root, "secrets", "peppers.json"),
    upstreams: join(root, "secrets", "upstreams.json"),
    ledger: join(root, "ledger"),
    publicKey: join(root, "ledger", "public.pem"),
    index: join(root, "index"),
    sinks: join(root, "sinks"),
    backups: join(root, "backups"),
    reserve: join(root, "reserve"),
    restored: join(root, "restored.json"),
    incidents: join(root, "incidents"),
    watch: join(root, "watch.json"),
    quotas: join(root, "quotas.json"),
    lock: join(root, "lock"),
    lockHolder: join(root, "lock.pid"),
  };
}

/** The database comes last, so a directory that has it has everything. */
export function isInitialized(directory: string): boolean {
  if (existsSync(dataPaths(directory).database)) return true;
  // Throws where the directory must not be looked into: that is no sign of its being empty.
  if (existsSync(directory)) accessSync(directory, constants.R_OK);
  return false;
}
