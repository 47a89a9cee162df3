/**
 * Verifies a signed request (RFC 9421) against a profile. It reads what the gateway received and was configured to be,
 * and answers a value. Two questions are left to its caller: whether the body fits (`body-digest.ts`), and whether the
 * nonce is new (`replay-store.ts`); that one comes last, or a forged request would use up a nonce.
 */
import {
  checkProfile,
  ENVIRONMENT_FIELD,
  parseContentDigest,
  parseSignature,
  parseSignatureInput,
  sallyportProfile,
  signatureBase,
  signatureFailure,
} from "@sallyport/protocol";
import type { ContentDigest, SignatureFailure, SignatureProfile, SignedMessage } from "@sallyport/protocol";
import { readSignedFields } from "./signed-fields.ts";
import { verifySignature } from "./signer.ts";
import type { Signer } from "./signer.ts";

export interface SignedRequest extends SignedMessage {
  /** The environment the request will act in. */
  readonly environment: string;
  /** Epoch ms. */
  readonly now: number;
}

export interface RequestSignature {
  readonly keyid: string;
  readonly nonce: string;
  /** Epoch seconds. */
  readonly created: number;
  readonly expires: number;
  /** What the body must have; null without a body and without a digest. */
  readonly contentDigest: ContentDigest | null;
}

/** The registered key of that id; undefined where this caller has none such. */
export type FindSigner = (keyid: string) => Signer | undefined;

export function verifyRequestSignature(
  request: SignedRequest,
  findSigner: FindSigner,
  profile: SignatureProfile = sallyportProfile,
): RequestSignature | SignatureFailure {
  const fields = readSignedFields(request.rawHeaders);
  if ("reason" in fields) return fields;
  const input = parseSignatureInput(fields.signatureInput);
  if ("reason" in input) return input;
  const sent = parseSignature(fields.signature);
  if ("reason" in sent) return sent;
  if (sent.label !== input.label) return signatureFailure("signature_malformed");

  const { components, parameters } = input;
  const demandsDigest = profile.bodyComponents.includes("content-digest");
  if (demandsDigest && fields.hasBody && fields.contentDigest === null) return signatureFailure("digest_missing");
  const unmet = checkProfile(input, profile, fields.hasBody, request.now);
  if (unmet) return unmet;
  // Anyone could have added a digest that is not signed.
  const isDigestSigned = components.includes("content-digest");
  if (demandsDigest && fields.contentDigest !== null && !isDigestSigned)
    return signatureFailure("signature_component_missing", "content-digest");
  const contentDigest =
    isDigestSigned && fields.contentDigest !== null ? parseContentDigest(fields.contentDigest) : null;
  if (contentDigest !== null && "reason" in contentDigest) return contentDigest;
  if (components.includes(ENVIRONMENT_FIELD) && fields.environment !== request.environment)
    return fields.environment === null
      ? signatureFailure("signature_component_absent", ENVIRONMENT_FIELD)
      : signatureFailure("signature_environment");

  const signer = findSigner(parameters.keyid ?? "");
  if (!signer || signer.id !== parameters.keyid) return signatureFailure("signature_unknown_key");
  if (parameters.alg !== null && parameters.alg !== signer.algorithm) return signatureFailure("signature_algorithm");
  const base = signatureBase(request, components, input.text);
  if (typeof base !== "string") return base;
  if (!verifySignature(signer, base, sent.signature)) return signatureFailure("signature_wrong");
  const { nonce, created, expires } = parameters;
  return { keyid: signer.id, nonce: nonce ?? "", created: created ?? 0, expires: expires ?? 0, contentDigest };
}
