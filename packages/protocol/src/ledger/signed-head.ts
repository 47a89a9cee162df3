/**
 * The ledger's head, signed with Ed25519 in the transaction that moves it: how many records there are and the hash of
 * the last one, and with it of all of them. A ledger without records has the head seq 0 with `FIRST_PREV` as hash.
 */
export interface LedgerHead {
  readonly seq: number;
  /** 64 hex digits. */
  readonly hash: string;
  /** When it was signed, epoch ms. */
  readonly at: number;
}

export interface SignedHead extends LedgerHead {
  /** Ed25519 over `headText()`, 64 bytes in base64. */
  readonly signature: string;
}

/** The text that is signed. Its first line keeps the signature from meaning anything elsewhere. */
export function headText(head: LedgerHead): string {
  return `sallyport-ledger/v1\n${head.seq}\n${head.hash}\n${head.at}\n`;
}

const SIGNATURE = /^[A-Za-z0-9+/]{86}==$/;

/** Reads the JSON form strictly; undefined when it is not one. Says nothing about the signature being genuine. */
export function parseSignedHead(text: string): SignedHead | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof read !== "object" || read === null || Object.keys(read).join() !== "seq,hash,at,signature")
    return undefined;
  const { seq, hash, at, signature } = read as Record<keyof SignedHead, unknown>;
  if (typeof seq !== "number" || !Number.isSafeInteger(seq) || seq < 0) return undefined;
  if (typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
  if (typeof at !== "number" || !Number.isSafeInteger(at)) return undefined;
  if (typeof signature !== "string" || !SIGNATURE.test(signature)) return undefined;
  return { seq, hash, at, signature };
}

/** The JSON form: `{"seq":…,"hash":…,"at":…,"signature":…}`. */
export function formatSignedHead(head: SignedHead): string {
  return JSON.stringify({ seq: head.seq, hash: head.hash, at: head.at, signature: head.signature });
}
