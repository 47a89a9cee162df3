/**
 * The secrets that are files: the ledger's signing key, the credentials of model servers and the peppers. Each is encrypted for its place, and replaced
 * as a whole.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Problem } from "@sallyport/protocol";
import type { Sealer } from "../../keys/sealer.ts";
import type { DataPaths } from "../disk/data-paths.ts";
import { writeDurably } from "../disk/durable-file.ts";
import { keyIdOf } from "./envelope.ts";
import type { SealedRecords } from "./sealed-records.ts";

const PEPPER_NAME = /^[a-z][a-z0-9]{0,15}\.json$/;

export interface SecretFile {
  readonly path: string;
  readonly purpose: string;
}

export function signingKeyFile(paths: DataPaths): SecretFile {
  return { path: paths.signingKey, purpose: "ledger-signing-key" };
}

export function pepperFile(paths: DataPaths, environment: string): SecretFile {
  return { path: join(paths.peppers, `${environment}.json`), purpose: `peppers/${environment}` };
}

export function upstreamFile(paths: DataPaths): SecretFile {
  return { path: paths.upstreams, purpose: "upstreams" };
}

/** Every one there is. */
export function secretFiles(paths: DataPaths): readonly SecretFile[] {
  const peppers = existsSync(paths.peppers) ? readdirSync(paths.peppers).filter((name) => PEPPER_NAME.test(name)) : [];
  return [
    signingKeyFile(paths),
    upstreamFile(paths),
    ...peppers.toSorted().map((name) => pepperFile(paths, basename(name, ".json"))),
  ].filter(({ path }) => existsSync(path));
}

export function isSealedFile({ path }: SecretFile): boolean {
  return keyIdOf(readFileSync(path, "latin1").trim()) !== undefined;
}

/** Throws `store_unavailable` if it is missing, not encrypted, or not encrypted for this place. */
export function readSecretFile(sealer: Sealer, { path, purpose }: SecretFile): Buffer {
  let sealed: string;
  try {
    sealed = readFileSync(path, "latin1").trim();
  } catch {
    throw new Problem("store_unavailable", `${path} is missing or damaged: put it back from a backup`);
  }
  try {
    return sealer.open(purpose, sealed);
  } catch {
    throw new Problem("store_unavailable", `${path} is damaged or was replaced: restore it from a backup`);
  }
}

export function writeSecretFile(sealer: Sealer, { path, purpose }: SecretFile, plaintext: Buffer): void {
  writeDurably(path, `${sealer.seal(purpose, plaintext)}\n`);
}

export function sealedFiles(paths: DataPaths): SealedRecords {
  return {
    count: () => secretFiles(paths).length,
    each(visit) {
      for (const { path, purpose } of secretFiles(paths))
        visit(purpose, readFileSync(path, "latin1").trim(), (sealed) => writeDurably(path, `${sealed}\n`));
    },
  };
}
