/** What a backup says of itself: the program and the moment it is of, and every file with its size and SHA-256. */
import { amongst, json, listOf, object, text, wholeNumber } from "../disk/json-shape.ts";
import type { ShapeOf } from "../disk/json-shape.ts";

/** The one file of a backup, encrypted or plain. */
export const SEALED_NAME = "sallyport.tar.age";
export const PLAIN_NAME = "sallyport.tar";
export const MANIFEST_NAME = "manifest.json";
export const MANIFEST_BYTES_MAX = 16 * 1024 * 1024;

const file = object({ name: text, bytes: wholeNumber, sha256: text });

export const manifestShape = json(
  object({
    format: amongst(["sallyport backup 1"]),
    /** Of the program. */
    version: text,
    schema: wholeNumber,
    /** Epoch ms. */
    createdAt: wholeNumber,
    /** Of policy. */
    epoch: wholeNumber,
    /** The last record it has. */
    head: object({ seq: wholeNumber, hash: text }),
    /** Id of the key-encryption key the secrets lie under. */
    kek: text,
    files: listOf(file),
  }),
);

export type Manifest = ShapeOf<typeof manifestShape>;
export type ManifestFile = ShapeOf<typeof file>;

/** Every name an archive may have. Nothing else is ever written to a disk from one. */
const NAMES =
  /^(?:sallyport\.db|ledger\/public\.pem|ledger\/[0-9]{16}\.jsonl|secrets\/(?:kek|data-keys\.json|ledger-signing\.pem|peppers\.json|upstreams\.json|peppers\/[a-z][a-z0-9]{0,15}\.json))$/;

/** A data directory needs all of these. */
export const NEEDED = [
  "sallyport.db",
  "ledger/public.pem",
  "secrets/data-keys.json",
  "secrets/ledger-signing.pem",
  "secrets/peppers.json",
] as const;

/** An incident's state, report, proofs and evidence, whose folders are laid out as an export is. */
const INCIDENT =
  /^incidents\/inc_[0-9A-Za-z]{12}\/(?:incident\.json|report\.(?:md|html|json)|proofs\/[0-9]{1,16}\.tlog-proof|evidence\/[a-z][a-z0-9]{0,15}(?:\/[a-z0-9][a-z0-9.-]*){1,8})$/;

export function isBackupName(name: string): boolean {
  return NAMES.test(name) || isIncidentName(name);
}

export function isIncidentName(name: string): boolean {
  return INCIDENT.test(name);
}
