/** Why a signed token does not count. Apart from its verifier, which loads the library of tokens. */

/** `unavailable`: it may be valid, and this cannot be decided now. The others are the codes of RFC 8935, 2.4. */
export type ClaimsFailure = "unavailable" | "invalid_request" | "invalid_key" | "invalid_issuer" | "invalid_audience";

/** Why a token does not count: a value, told to who sent it. */
export class FailedClaims {
  readonly failure: ClaimsFailure;
  readonly says: string;

  constructor(failure: ClaimsFailure, says: string) {
    this.failure = failure;
    this.says = says;
  }
}

export function failed(failure: ClaimsFailure, says: string): FailedClaims {
  return new FailedClaims(failure, says);
}
