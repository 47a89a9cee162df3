/**
 * A log's keys over time. Each change is a record of the log itself, `ledger.key_changed`, in which the old key signs
 * the new one: the holder of the first key, or any later one, follows the chain to the current one.
 */
import { base64Of, bytesOfBase64 } from "./base64.ts";
import type { LedgerRecord } from "./record-line.ts";
import { parseVerifierKey } from "./signed-note.ts";
import type { NoteVerifier, Sha256Hex, VerifyEd25519 } from "./signed-note.ts";
import { utf8Of } from "./utf8.ts";

export const KEY_CHANGE = "ledger.key_changed";

/** What the old key signs. */
export function keyChangeText(origin: string, oldKey: string, newKey: string): string {
  return `sallyport-ledger-key/v1\n${origin}\n${oldKey}\n${newKey}\n`;
}

/** The record's fields. */
export function keyChangeFields(oldKey: string, newKey: string, signature: Uint8Array) {
  return { old_key: oldKey, new_key: newKey, signature: base64Of(signature) };
}

/** The key that a record puts in the place of `held`; undefined where it puts none there, or not genuinely. */
export function followKeyChange(
  { sha256, verify }: { readonly sha256: Sha256Hex; readonly verify: VerifyEd25519 },
  origin: string,
  held: NoteVerifier,
  { type, fields }: LedgerRecord,
): NoteVerifier | undefined {
  const { old_key: oldKey, new_key: newKey, signature } = fields;
  if (type !== KEY_CHANGE || typeof oldKey !== "string" || typeof newKey !== "string") return undefined;
  const old = parseVerifierKey(sha256, oldKey);
  const next = parseVerifierKey(sha256, newKey);
  const bytes = typeof signature === "string" ? bytesOfBase64(signature) : undefined;
  if (!old || !next || bytes?.length !== 64 || next.name !== origin || next.kind !== "ed25519") return undefined;
  if (old.keyId !== held.keyId || base64Of(old.publicKey) !== base64Of(held.publicKey)) return undefined;
  const message = utf8Of(keyChangeText(origin, oldKey, newKey));
  return verify(old.publicKey, message, bytes) ? next : undefined;
}
