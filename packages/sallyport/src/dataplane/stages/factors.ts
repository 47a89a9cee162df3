/**
 * The doors besides the credential that need the body: the request's signature, over the digest of what was read. Its
 * networks were asked when the key was known; whether what was presented is enough is decided with everything else.
 */
import type { Stage } from "../pipeline.ts";
import type { RequestSignatures } from "../request-signatures.ts";

export function makeFactors(signatures: RequestSignatures): Stage {
  return (exchange) => signatures.verify(exchange);
}
