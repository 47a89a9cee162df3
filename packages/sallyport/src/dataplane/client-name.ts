/**
 * What the ledger says of the program that asked: the first product of its user agent (RFC 9110, 10.1.5), and nothing
 * behind it. What is not of a product's form may be anything, a prompt or a key: of that a short hash is kept, so that it
 * is known again and cannot be read.
 */
import { hashOf } from "../anomaly/watch/hash.ts";

export const CLIENT_LENGTH_MAX = 64;

const PRODUCT = /^[A-Za-z][A-Za-z0-9.+-]{0,31}\/[A-Za-z0-9.+-]{1,31}$/;

/** `python-requests/2.32.3`, `other-1a2b3c`, or null where nothing is said. */
export function clientName(userAgent: string): string | null {
  const end = userAgent.indexOf(" ");
  const product = end < 0 ? userAgent : userAgent.slice(0, end);
  if (product === "") return null;
  if (product.length < CLIENT_LENGTH_MAX && PRODUCT.test(product)) return product;
  return `other-${hashOf(product.slice(0, CLIENT_LENGTH_MAX)).toString(16).padStart(8, "0").slice(0, 6)}`;
}
