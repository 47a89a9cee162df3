/**
 * Opens a one-time delivery link over a gateway's data plane. The link's secret stays here: only a proof of it is sent.
 */
import { createDecipheriv, generateKeyPairSync, hkdfSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import {
  isProblemCode,
  parseKeyText,
  Problem,
  TICKET_INSPECT_PATH,
  TICKET_OPEN_PATH,
  ticketOpeningText,
  ticketProofInfo,
  ticketPurpose,
} from "@sallyport/protocol";
import type { TicketProof } from "@sallyport/protocol";
import { readJson, sendToGateway } from "./transport.ts";

export interface ReceivedKey {
  readonly id: string;
  readonly name: string;
  readonly environment: string;
  /** The key; if the link was encrypted to a recipient, the ciphertext (age, armored). */
  readonly content: string;
  readonly recipient: string | null;
}

export interface InspectedTicket {
  readonly keyId: string;
  readonly keyName: string;
  readonly environment: string;
  readonly purpose: "create" | "rotate";
  readonly recipient: string | null;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number;
  readonly state: "unopened" | "opened" | "expired";
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** An answer may be lost: the same opener may ask again. */
const TRIES = 3;

export interface TicketOptions {
  /** `http(s)://host:port` of the gateway's data plane. */
  readonly url: string;
  readonly now?: () => number;
  readonly fetch?: typeof fetch;
}

export async function inspectTicket(text: string, options: TicketOptions): Promise<InspectedTicket> {
  return (await post(options, TICKET_INSPECT_PATH, proofOf(text))) as InspectedTicket;
}

/** Throws the gateway's `Problem`: `ticket_unknown`, `ticket_expired`, `ticket_opened`, `ticket_elsewhere`. */
export async function openTicket(text: string, options: TicketOptions): Promise<ReceivedKey> {
  const said = proofOf(text);
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  for (let left = TRIES - 1; ; left--) {
    try {
      return unseal(text, said, await post(options, TICKET_OPEN_PATH, signed(said, publicKey, privateKey, options)));
    } catch (cause) {
      if (cause instanceof Problem || left === 0) throw cause;
    }
  }
}

function proofOf(text: string): TicketProof {
  const parsed = parseKeyText(text);
  if (parsed?.kind !== "ticket")
    throw new Problem("credential_malformed", "this is not a delivery link (spt_…): copy the whole link again");
  const proof = Buffer.from(hkdfSync("sha256", text, "", ticketProofInfo, 32)).toString("base64url");
  return { environment: parsed.environment, id: parsed.id, proof };
}

function signed(
  said: TicketProof,
  publicKey: KeyObject,
  privateKey: KeyObject,
  { now = Date.now }: TicketOptions,
): object {
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("base64url");
  const opening = { ...said, publicKey: raw, at: now() };
  const signature = sign(null, Buffer.from(ticketOpeningText(opening)), privateKey).toString("base64url");
  return { ...opening, signature };
}

function unseal(text: string, { environment, id }: TicketProof, answer: unknown): ReceivedKey {
  const { keyId, keyName, recipient, sealed } = answer as Readonly<Record<string, string>>;
  const info = `sallyport ${ticketPurpose(environment, id)}`;
  const bytes = Buffer.from(sealed ?? "", "base64url");
  const key = Buffer.from(hkdfSync("sha256", text, "", info, 32));
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const opened = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
  const content = Buffer.concat(opened).toString("utf8");
  return { id: keyId ?? "", name: keyName ?? "", environment, content, recipient: recipient ?? null };
}

async function post({ url, fetch: send = fetch }: TicketOptions, path: string, body: object): Promise<unknown> {
  const { origin, protocol, pathname } = new URL(url);
  if (!/^https?:$/.test(protocol) || pathname !== "/")
    throw new TypeError("the gateway's URL must be http(s)://host:port, without a path");
  const answer = await sendToGateway(send, origin + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const said = await readJson(answer);
  if (answer.ok) return said;
  const { code } = said;
  if (typeof code === "string" && isProblemCode(code)) throw new Problem(code);
  throw new Error(`the gateway answered ${answer.status} without a code it shares with us`);
}
