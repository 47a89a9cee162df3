/**
 * The ledger's head, signed with Ed25519 in the transaction that moves it: how many records there are and the hash of
 * the last one, and with it of all of them. A ledger without records has the head seq 0 with `FIRST_PREV` as hash.
 */
import { parseShallowJson } from "./shallow-json.ts";

export interface LedgerHead {
  readonly seq: number;
  /** 64 hex digits. */
  readonly hash: string;
  /** When it was signed, epoch ms. */
  readonly at: number;
  /** Authentication code of the gateway's state, 64 hex digits. Absent in heads of before schema 5. */
  readonly state?: string | undefined;
}

export interface SignedHead extends LedgerHead {
  /** Ed25519 over `headText()`, 64 bytes in base64. */
  readonly signature: string;
}

/** The text that is signed. Its first line keeps the signature from meaning anything elsewhere. */
export function headText({ seq, hash, at, state }: LedgerHead): string {
  if (state !== undefined) return `sallyport-ledger/v2\n${seq}\n${hash}\n${at}\n${state}\n`;
  return `sallyport-ledger/v1\n${seq}\n${hash}\n${at}\n`;
}

const HEX_64 = /^[0-9a-f]{64}$/;
const SIGNATURE = /^[A-Za-z0-9+/]{86}==$/;

/** Reads the JSON form strictly; undefined when it is not one. Says nothing about the signature being genuine. */
export function parseSignedHead(text: string): SignedHead | undefined {
  const read = parseShallowJson(text);
  if (typeof read !== "object" || read === null) return undefined;
  const { seq, hash, at, state, signature } = read as Record<keyof SignedHead, unknown>;
  if (typeof seq !== "number" || !Number.isSafeInteger(seq) || seq < 0) return undefined;
  if (typeof hash !== "string" || !HEX_64.test(hash)) return undefined;
  if (typeof at !== "number" || !Number.isSafeInteger(at)) return undefined;
  if (typeof signature !== "string" || !SIGNATURE.test(signature)) return undefined;
  if (state !== undefined && (typeof state !== "string" || !HEX_64.test(state))) return undefined;
  const head = { seq, hash, at, ...(state === undefined ? {} : { state }), signature };
  return Object.keys(read).join() === Object.keys(head).join() ? head : undefined;
}

/** The JSON form: `{"seq":…,"hash":…,"at":…,"state":…,"signature":…}`. */
export function formatSignedHead({ seq, hash, at, state, signature }: SignedHead): string {
  return JSON.stringify({ seq, hash, at, state, signature });
}
