/**
 * Signed notes (C2SP signed-note): text of whole lines, an empty line, and one signature a line. Signatures of keys that
 * are not known are passed over, so that a note may carry a log's own, its next key's and its witnesses'.
 */
import { base64Of, bytesOfBase64 } from "./base64.ts";
import { hexOfBytes } from "./tree-hash.ts";
import { utf8Of } from "./utf8.ts";

/** Lower-case hex of SHA-256. */
export type Sha256Hex = (bytes: Uint8Array) => string;
/** Ed25519 (RFC 8032): 32-byte key, 64-byte signature. */
export type VerifyEd25519 = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

/** First byte of the key material: what kind of signature a key makes. */
export const noteKinds = { ed25519: 0x01, cosignature: 0x04 } as const;
export type NoteKind = keyof typeof noteKinds;

/** Who signs notes: the name, the kind, and the public half. */
export interface NoteVerifier {
  readonly name: string;
  readonly kind: NoteKind;
  readonly publicKey: Uint8Array;
  /** Eight hex digits. */
  readonly keyId: string;
}

export interface NoteSignature {
  readonly name: string;
  readonly keyId: string;
  /** What follows the key id; 64 bytes for Ed25519, 8 + 64 for a cosignature. */
  readonly signature: Uint8Array;
}

export interface SignedNote {
  /** With its last newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

const NOTE_LENGTH_MAX = 1_000_000;
const SIGNATURES_MAX = 64;
/** Neither spaces nor a plus: it stands in keys and lines. */
const NAME = /^[^\s+\p{Cc}]{1,256}$/u;
const SIGNATURE_LINE = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/;

export function isNoteName(name: string): boolean {
  return NAME.test(name);
}

export function noteVerifier(sha256: Sha256Hex, name: string, kind: NoteKind, publicKey: Uint8Array): NoteVerifier {
  const head = utf8Of(`${name}\n`);
  const bytes = new Uint8Array(head.length + 1 + publicKey.length);
  bytes.set(head);
  bytes[head.length] = noteKinds[kind];
  bytes.set(publicKey, head.length + 1);
  return { name, kind, publicKey, keyId: sha256(bytes).slice(0, 8) };
}

/** `name+keyid+base64(kind || key)`: what a verifier is given. */
export function formatVerifierKey({ name, kind, publicKey, keyId }: NoteVerifier): string {
  return `${name}+${keyId}+${base64Of(Uint8Array.of(noteKinds[kind], ...publicKey))}`;
}

/** Reads a verifier key strictly; undefined for anything else, or if its id does not match. */
export function parseVerifierKey(sha256: Sha256Hex, text: string): NoteVerifier | undefined {
  const [, name, keyId, material = ""] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? [];
  const bytes = bytesOfBase64(material);
  const kind = (Object.keys(noteKinds) as NoteKind[]).find((one) => noteKinds[one] === bytes?.[0]);
  if (name === undefined || !isNoteName(name) || !bytes || bytes.length !== 33 || !kind) return undefined;
  const verifier = noteVerifier(sha256, name, kind, bytes.slice(1));
  return verifier.keyId === keyId ? verifier : undefined;
}

/** Reads a note strictly; undefined for anything else. Says nothing about its signatures being genuine. */
export function parseSignedNote(note: string, lengthMax = NOTE_LENGTH_MAX): SignedNote | undefined {
  if (note.length > lengthMax || !note.endsWith("\n")) return undefined;
  const split = note.lastIndexOf("\n\n");
  if (split < 0) return undefined;
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > SIGNATURES_MAX) return undefined;
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const [, name = "", encoded = ""] = SIGNATURE_LINE.exec(line) ?? [];
    const bytes = bytesOfBase64(encoded);
    if (!isNoteName(name) || !bytes || bytes.length < 5) return undefined;
    signatures.push({ name, keyId: hexOfBytes(bytes.slice(0, 4)), signature: bytes.slice(4) });
  }
  return { text: note.slice(0, split + 1), signatures };
}

export function formatSignedNote({ text, signatures }: SignedNote): string {
  return `${text}\n${signatures.map(formatNoteSignature).join("")}`;
}

/** One line, with its newline. */
export function formatNoteSignature({ name, keyId, signature }: NoteSignature): string {
  const id = Array.from({ length: 4 }, (_, i) => Number.parseInt(keyId.slice(2 * i, 2 * i + 2), 16));
  return `— ${name} ${base64Of(Uint8Array.of(...id, ...signature))}\n`;
}

export type NoteVerdict = "genuine" | "forged" | "unsigned";

/**
 * What a note's signatures say of one key: `forged` where there is one that names it and is not its own. For a
 * cosignature its time is given, in seconds since 1970.
 */
export function checkNote(
  verify: VerifyEd25519,
  note: SignedNote,
  { name, keyId, kind, publicKey }: NoteVerifier,
): { readonly verdict: NoteVerdict; readonly time?: number } {
  let verdict: NoteVerdict = "unsigned";
  let time: number | undefined;
  for (const one of note.signatures) {
    if (one.name !== name || one.keyId !== keyId) continue;
    const stamp = kind === "cosignature" ? timeOf(one.signature) : undefined;
    const signature = kind === "cosignature" ? one.signature.slice(8) : one.signature;
    const text = kind === "cosignature" ? cosignedText(note.text, stamp ?? -1) : note.text;
    if (signature.length !== 64 || !verify(publicKey, utf8Of(text), signature)) return { verdict: "forged" };
    verdict = "genuine";
    time = stamp;
  }
  return time === undefined ? { verdict } : { verdict, time };
}

/** What a witness signs of a checkpoint (C2SP tlog-cosignature); `time` in whole seconds since 1970. */
export function cosignedText(checkpoint: string, time: number): string {
  return `cosignature/v1\ntime ${time}\n${checkpoint}`;
}

/** Big-endian, 8 bytes before the signature; undefined beyond what a number holds exactly. */
function timeOf(signature: Uint8Array): number | undefined {
  if (signature.length < 8) return undefined;
  const seconds = signature.slice(0, 8).reduce((sum, byte) => sum * 256 + byte, 0);
  return Number.isSafeInteger(seconds) ? seconds : undefined;
}

/** `time` before the signature, as a cosignature carries it. */
export function timedSignature(time: number, signature: Uint8Array): Uint8Array {
  const stamp = Array.from({ length: 8 }, (_, i) => Math.floor(time / 256 ** (7 - i)) % 256);
  return Uint8Array.of(...stamp, ...signature);
}
