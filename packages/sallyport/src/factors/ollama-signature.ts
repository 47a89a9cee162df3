/**
 * The signature an unmodified `ollama` sends with `OLLAMA_AUTH=1`: `Authorization: <public key>:<signature>`, without a
 * scheme, over `METHOD,/api/path?ts=<unix seconds>`. It covers neither the body nor the host, so it is only good behind
 * TLS, and for as short a time as clocks allow.
 */
import { keyFromRaw } from "./public-key.ts";
import { verifySignature } from "./signer.ts";
import { decodeBase64, readSshBlob } from "./ssh-public-key.ts";

export interface OllamaCredential {
  /** The 32 bytes of the Ed25519 key. */
  readonly publicKey: Buffer;
  /** As `ssh-keygen -lf ~/.ollama/id_ed25519.pub` prints it: `SHA256:…`. */
  readonly fingerprint: string;
  /** 64 bytes, in base64. */
  readonly signature: string;
}

export interface OllamaRequest {
  readonly method: string;
  /** As sent, but without a base path of `OLLAMA_HOST`: the client does not sign that. */
  readonly target: string;
  /** Epoch ms. */
  readonly now: number;
}

/** 51 and 64 bytes in base64, the only spelling of each. */
const FORM = /^([A-Za-z0-9+/]{68}):([A-Za-z0-9+/]{85}[AQgw]==)$/;
const TARGET = /^\/[\x21\x22\x24-\x3e\x40-\x7e]{0,1023}\?ts=([1-9][0-9]{0,11})$/;
const METHOD = /^[A-Z]{1,16}$/;

/**
 * How old a signature may be, and how far ahead the client's clock. A minute of age, because laptops drift and a call
 * may wait for its connection. Little ahead, because after a start everything signed before the start plus this margin
 * is rejected.
 */
export const OLLAMA_AGE_SECONDS = 60;
export const OLLAMA_AHEAD_SECONDS = 5;

/** Reads the value of `Authorization`; undefined when it is not of this form. Nothing is verified yet. */
export function parseOllamaCredential(text: string): OllamaCredential | undefined {
  const parts = text.length === 157 ? FORM.exec(text) : null;
  const blob = parts && decodeBase64(parts[1]!);
  const key = blob && readSshBlob(blob, "ssh-ed25519");
  return key ? { publicKey: key.raw, fingerprint: key.fingerprint, signature: parts[2]! } : undefined;
}

export interface OllamaSignature {
  readonly fingerprint: string;
  /** Epoch seconds the client signed. */
  readonly ts: number;
  /** The text that was signed. */
  readonly text: string;
}

export type OllamaFailure = "ts_missing" | "ts_old" | "ts_future" | "signature_wrong";

/** Whether the credential was made for this request, now. Whether that key is known is its caller's question. */
export function verifyOllamaSignature(
  credential: OllamaCredential,
  { method, target, now }: OllamaRequest,
): OllamaSignature | OllamaFailure {
  const parts = TARGET.exec(target);
  if (!parts || !METHOD.test(method)) return "ts_missing";
  const ts = Number(parts[1]);
  if (ts * 1000 + OLLAMA_AGE_SECONDS * 1000 < now) return "ts_old";
  if (ts * 1000 > now + OLLAMA_AHEAD_SECONDS * 1000) return "ts_future";
  const key = keyFromRaw(credential.publicKey, "ed25519");
  const text = `${method},${target}`;
  const { fingerprint, signature } = credential;
  if (!key || !verifySignature({ id: fingerprint, algorithm: "ed25519", key }, text, signature))
    return "signature_wrong";
  return { fingerprint, ts, text };
}
