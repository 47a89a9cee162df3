/** The fields of a request that a signature's verifier reads itself, each of them once. */
import { ENVIRONMENT_FIELD, signatureFailure } from "@sallyport/protocol";
import type { SignatureFailure } from "@sallyport/protocol";

export interface SignedFields {
  readonly signatureInput: string;
  readonly signature: string;
  readonly contentDigest: string | null;
  readonly environment: string | null;
  /** By its framing (RFC 9112 section 6.3): a length that is not zero, or any transfer coding. */
  readonly hasBody: boolean;
}

/** Two lines of one of them would have two readings, so they are a failure. */
export function readSignedFields(rawHeaders: readonly string[]): SignedFields | SignatureFailure {
  let signatureInput: string | null = null;
  let signature: string | null = null;
  let contentDigest: string | null = null;
  let contentType: string | null = null;
  let environment: string | null = null;
  let hasBody = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    // Compare lengths first: most fields do not match, and lower-casing costs more.
    switch (name.length) {
      case 9: // signature
      case 12: // content-type
      case 14: // content-digest, content-length
      case 15: // signature-input
      case 17: // transfer-encoding
      case ENVIRONMENT_FIELD.length:
        break;
      default:
        continue;
    }
    const value = rawHeaders[i + 1]!;
    switch (name.toLowerCase()) {
      case "signature-input":
        if (signatureInput !== null) return signatureFailure("signature_labels");
        signatureInput = value;
        break;
      case "signature":
        if (signature !== null) return signatureFailure("signature_labels");
        signature = value;
        break;
      case "content-digest":
        if (contentDigest !== null) return signatureFailure("digest_malformed");
        contentDigest = value;
        break;
      case "content-type":
        if (contentType !== null) return signatureFailure("signature_component_malformed", "content-type");
        contentType = value;
        break;
      case ENVIRONMENT_FIELD:
        if (environment !== null) return signatureFailure("signature_component_malformed", ENVIRONMENT_FIELD);
        environment = value;
        break;
      case "content-length":
        if (value !== "0") hasBody = true;
        break;
      case "transfer-encoding":
        hasBody = true;
        break;
    }
  }
  if (signatureInput === null && signature === null) return signatureFailure("signature_missing");
  if (signatureInput === null || signature === null) return signatureFailure("signature_malformed");
  return { signatureInput, signature, contentDigest, environment, hasBody };
}
