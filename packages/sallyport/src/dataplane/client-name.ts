/**
 * What audit records say about the calling program: the first product of its user agent (RFC 9110, 10.1.5), and nothing
 * after it. Text that is not of a product's form may be a prompt or a key: only a short hash of it is kept, which can
 * be recognized and not read.
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
