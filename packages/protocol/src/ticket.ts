/**
 * Delivery tickets, as both ends must agree on them. A ticket's text (`spt_…`) never travels when it is opened: what the
 * opener shows is a proof derived from it (HKDF-SHA-256), and what lies at the server is sealed under another derivation.
 * So neither a proxy that ends TLS nor a copy of the database holds the key that is delivered.
 */

/** `info` of HKDF-SHA-256 (RFC 5869) over the ticket's text, without salt; 32 bytes each. */
export const ticketProofInfo = "sallyport ticket proof";

/** What the key's text is sealed for; the info is `sallyport ` and this. */
export function ticketPurpose(environment: string, id: string): string {
  return `ticket ${environment}/${id}`;
}

/** What the opener signs with his ephemeral Ed25519 key (RFC 8032), so that only he can repeat the opening. */
export function ticketOpeningText(opening: Omit<TicketOpening, "signature">): string {
  const { environment, id, proof, publicKey, at } = opening;
  return `sallyport ticket opening\n${environment}/${id}\n${proof}\n${publicKey}\n${at}`;
}

/** Which ticket, and that one holds it. All in base64url without padding but `at`. */
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
/** The opener may repeat his opening for so long: an answer can be lost. */
export const TICKET_REPEAT_MS = 60_000;
/** Most that the two clocks may differ. */
export const TICKET_SKEW_MS = 5 * 60_000;
