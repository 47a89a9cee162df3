/**
 * One-time delivery links, as both ends must agree on them. A link's secret (`spt_…`) never travels when it is opened:
 * the opener shows a proof derived from it (HKDF-SHA-256), and what the server stores is encrypted under another
 * derivation. So neither a proxy that terminates TLS nor a copy of the database has the delivered key.
 */

/** `info` of HKDF-SHA-256 (RFC 5869) over the link's secret, without salt; 32 bytes each. */
export const ticketProofInfo = "sallyport ticket proof";

/** The purpose for which the key is encrypted; the info is `sallyport ` and this. */
export function ticketPurpose(environment: string, id: string): string {
  return `ticket ${environment}/${id}`;
}

/** What the opener signs with an ephemeral Ed25519 key (RFC 8032), so that only the opener can repeat the opening. */
export function ticketOpeningText(opening: Omit<TicketOpening, "signature">): string {
  const { environment, id, proof, publicKey, at } = opening;
  return `sallyport ticket opening\n${environment}/${id}\n${proof}\n${publicKey}\n${at}`;
}

/** Which link, and that the opener has it. All in base64url without padding, except `at`. */
export interface TicketProof {
  readonly environment: string;
  readonly id: string;
  /** 32 bytes. */
  readonly proof: string;
}

export interface TicketOpening extends TicketProof {
  /** The ephemeral Ed25519 public key: its 32 bytes. */
  readonly publicKey: string;
  /** Epoch ms. */
  readonly at: number;
  /** 64 bytes over `ticketOpeningText()`. */
  readonly signature: string;
}

export const TICKET_OPEN_PATH = "/sallyport/tickets/open";
export const TICKET_INSPECT_PATH = "/sallyport/tickets/inspect";
/** A key makes its own next secret. */
export const KEY_ROTATE_PATH = "/sallyport/key/rotate";
/** For how long the opener may repeat the opening: a response can be lost. */
export const TICKET_REPEAT_MS = 60_000;
/** Most that the two clocks may differ. */
export const TICKET_SKEW_MS = 5 * 60_000;
