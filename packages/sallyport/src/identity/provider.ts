/** An identity provider as this gateway is configured to hear it. */
export interface Provider {
  readonly name: string;
  /** As its tokens write it, exactly. */
  readonly issuer: string;
  /** Address of its public keys (JWK Set, RFC 7517). */
  readonly keysUrl: string;
  /** Who signs its events, where that is not the issuer itself (SSF 1.0, 7.1): a transmitter of its own, with its own keys. */
  readonly transmitter: { readonly issuer: string; readonly keysUrl: string } | null;
  /** Who its security events must be for; null = none are accepted. */
  readonly audience: string | null;
  /** Who its log-out tokens must be for; null = none are accepted. */
  readonly clientId: string | null;
  /** Its subjects are the ids that the provisioning client knows people by. */
  readonly hasExternalIds: boolean;
  /** Events may name people by address. */
  readonly mayNameByEmail: boolean;
  /** Name of the claim that lists groups. */
  readonly groupsClaim: string;
}
