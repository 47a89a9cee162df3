/**
 * A one-time delivery link: a key for one reader, once, for a short time. Pure: what a link is, how it is created, and
 * what opening it means at a moment.
 */
import { createPublicKey, hkdfSync, verify } from "node:crypto";
import { formatKeyText, KEY_ID_LENGTH, KEY_SECRET_LENGTH } from "@sallyport/protocol";
import { TICKET_REPEAT_MS, ticketOpeningText, ticketProofInfo, ticketPurpose } from "@sallyport/protocol";
import type { TicketOpening } from "@sallyport/protocol";
import { randomBase62 } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import { hashKeyText } from "./hash.ts";
import type { PepperRing } from "./pepper.ts";
import { sealText } from "./sealed-text.ts";

export interface TicketRecord {
  readonly environment: string;
  /** 12 base62 characters, unique among the delivery links of its environment. */
  readonly id: string;
  readonly keyId: string;
  readonly keyName: string;
  readonly purpose: "create" | "rotate";
  /** The key, encrypted under the link's secret; null once it can no longer be read. */
  readonly sealed: string | null;
  /** The age public key for which it is also encrypted; null = the link alone opens it. */
  readonly recipient: string | null;
  /** Keyed hash of the proof; 32 bytes. */
  readonly proofHash: Uint8Array;
  readonly pepperVersion: number;
  /** Networks it may be opened from; null = any. */
  readonly networks: readonly string[] | null;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number;
  readonly openedAt: number | null;
  /** The opener's ephemeral public key. */
  readonly openedBy: string | null;
}

export interface TicketOrder extends Pick<
  TicketRecord,
  "environment" | "keyId" | "keyName" | "purpose" | "recipient" | "networks" | "createdAt" | "createdBy" | "expiresAt"
> {
  /** What it delivers: the key, or the key encrypted to the recipient. */
  readonly content: Secret;
}

export function makeTicket(order: TicketOrder, peppers: PepperRing): { text: Secret; record: TicketRecord } {
  const { content, ...what } = order;
  const { environment } = what;
  const pepper = peppers.create(environment);
  const id = randomBase62(KEY_ID_LENGTH);
  const text = new Secret(formatKeyText("spt", environment, id, randomBase62(KEY_SECRET_LENGTH)));
  const proof = Buffer.from(hkdfSync("sha256", text.reveal(), "", ticketProofInfo, 32)).toString("base64url");
  return {
    text,
    record: {
      ...what,
      id,
      sealed: sealText(text, ticketPurpose(environment, id), content),
      proofHash: hashKeyText(proof, pepper),
      pepperVersion: pepper.version,
      openedAt: null,
      openedBy: null,
    },
  };
}

/** SubjectPublicKeyInfo of an Ed25519 key before its 32 bytes (RFC 8410). */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** Whether the holder of the ephemeral key has signed this very opening. */
export function isOpeningSigned(opening: TicketOpening): boolean {
  const raw = Buffer.from(opening.publicKey, "base64url");
  const signature = Buffer.from(opening.signature, "base64url");
  if (raw.length !== 32 || signature.length !== 64) return false;
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: "der", type: "spki" });
  return verify(null, Buffer.from(ticketOpeningText(opening)), key, signature);
}

/** What an opening by the holder of that key means now. */
export type OpeningVerdict = "first" | "repeated" | "second_opener" | "late" | "expired" | "over";

export function judgeOpening(ticket: TicketRecord, publicKey: string, now: number): OpeningVerdict {
  if (ticket.openedAt === null) return ticket.sealed !== null && now < ticket.expiresAt ? "first" : "expired";
  const isSame = ticket.openedBy === publicKey;
  if (isSame) return ticket.sealed !== null && now < ticket.openedAt + TICKET_REPEAT_MS ? "repeated" : "over";
  return now < ticket.expiresAt ? "second_opener" : "late";
}

/** No one may read it any more, and its content can be deleted. */
export function isTicketOver(ticket: TicketRecord, now: number): boolean {
  return ticket.openedAt === null ? ticket.expiresAt <= now : ticket.openedAt + TICKET_REPEAT_MS <= now;
}
