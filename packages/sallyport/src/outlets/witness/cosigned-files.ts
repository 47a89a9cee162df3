/**
 * Cosigned checkpoints, under `ledger/witnessed/` of the data directory: `<environment>` is the newest, with the
 * signatures of all who signed that very one, and `<environment>@<witness>` the newest of each witness.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { EnvironmentName } from "@sallyport/protocol";
import { formatSignedNote, parseCheckpoint } from "@sallyport/ledger";

export interface CosignedPlace {
  readonly folder: string;
  /** Replaces a file as a whole, or leaves it as it was. */
  readonly write: (path: string, text: string) => void;
}

/** Keeps what `askWitness()` gave; the newest checkpoint with all its cosignatures. */
export function keepCosigned(
  { folder, write }: CosignedPlace,
  environment: EnvironmentName,
  witness: string,
  text: string,
): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // A witness's name may hold what no file's name may.
  write(join(folder, `${environment}@${encodeURIComponent(witness)}`), text);
  const newest = join(folder, environment);
  const merged = withSignaturesOf(existsSync(newest) ? readFileSync(newest, "utf8") : "", text);
  write(newest, merged);
  return merged;
}

function withSignaturesOf(heldText: string, text: string): string {
  const held = parseCheckpoint(heldText);
  const next = parseCheckpoint(text)!;
  if (held?.note.text !== next.note.text) return text;
  const others = held.note.signatures.filter(
    ({ name, keyId }) => !next.note.signatures.some((one) => one.name === name && one.keyId === keyId),
  );
  return formatSignedNote({ text: next.note.text, signatures: [...next.note.signatures, ...others] });
}
