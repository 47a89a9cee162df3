/**
 * Why a signed request is rejected. Reasons are a closed, public list: the author of a client has to be able to fix it,
 * and none of them reveals more than the request did.
 */
export const signatureReasons = {
  signature_missing: "the request is not signed",
  signature_malformed: "signature-input or signature is not in the one form that is accepted",
  signature_labels: "more than one signature was sent",
  signature_component_unsupported: "this component, or a parameter of it, is not accepted",
  signature_component_repeated: "a component is covered twice",
  signature_component_missing: "this component must be covered",
  signature_component_absent: "a covered field is not in the request",
  signature_component_malformed: "a covered field is repeated, or has characters beyond ASCII",
  signature_parameter_missing: "this parameter must be there",
  signature_parameter_unknown: "this parameter is not accepted",
  signature_nonce: "the nonce is not 128 bits or more in base64url",
  signature_tag: "the tag names another use",
  signature_lifetime: "expires is not after created, or too long after it",
  signature_future: "created lies in the future: look at the clock",
  signature_expired: "the signature has expired: look at the clock",
  signature_before_start: "it is older than the gateway's memory of nonces: sign again",
  signature_unknown_key: "no such signing key is registered",
  signature_algorithm: "alg is not the algorithm the signing key is registered for",
  signature_environment: "it was signed for another environment",
  signature_wrong: "the signature does not fit the request",
  signature_replayed: "the nonce was used before",
  digest_missing: "the request has a body but no content-digest",
  digest_malformed: "content-digest is not in the one form that is accepted",
  digest_mismatch: "the body is not the one that was signed",
  replay_key_full: "the key has as many unexpired nonces as it may",
  replay_store_full: "no more nonces can be remembered now",
} as const;

export type SignatureReason = keyof typeof signatureReasons;

/** A *no* of the verifier, as a value. */
export interface SignatureFailure {
  readonly reason: SignatureReason;
  /** The component or parameter it is about. */
  readonly name?: string;
}

export function signatureFailure(reason: SignatureReason, name?: string): SignatureFailure {
  return name === undefined ? { reason } : { reason, name };
}
