/** An identity provider as this gateway is configured to hear it. */
export interface Provider {
  readonly name: string;
  /** As its tokens write it, exactly. */
  readonly issuer: string;
  /** Address of its public keys (JWK Set, RFC 7517). */
  readonly keysUrl: string;
  /** Who signs its events, if not the issuer itself (SSF 1.0, 7.1): a separate transmitter with separate keys. */
  readonly transmitter: { readonly issuer: string; readonly keysUrl: string } | null;
  /** Who its security events must be for; null = none are accepted. */
  readonly audience: string | null;
  /** Who its log-out tokens must be for; null = none are accepted. */
  readonly clientId: string | null;
  /** Its subjects are the ids that the provisioning client knows people by. */
  readonly hasExternalIds: boolean;
  /** The claim of its ID tokens that identifies a user; absent = `sub`. */
  readonly subjectClaim?: SubjectClaim;
  /** The provisioning client whose word is this provider's; absent = none is. */
  readonly agent?: ProvisioningAgent;
  /** Events may name people by address. */
  readonly mayNameByEmail: boolean;
  /** Name of the claim that lists groups. */
  readonly groupsClaim: string;
}

/**
 * Claims that a provider never gives to another user; names and addresses are not among them. The `sub` of Entra ID
 * differs from application to application, and `oid` is the id of its directory.
 */
export type SubjectClaim = "sub" | "oid";

export interface ProvisioningAgent {
  /** Ids of its admin keys: the present one, and the next one before it takes over. */
  readonly keys: readonly string[];
  /** Where its ids and groups count. */
  readonly environments: readonly string[] | "*";
}

export function subjectClaimOf(
  providers: readonly Pick<Provider, "issuer" | "subjectClaim">[],
  issuer: string,
): SubjectClaim {
  return providers.find((one) => one.issuer === issuer)?.subjectClaim ?? "sub";
}

/**
 * The one rule for whether an issuer's subjects are the ids that a provisioning client wrote. A provider that is not
 * configured has no provisioning client that could have written them on its behalf.
 */
export function hasExternalIds(
  providers: readonly Pick<Provider, "issuer" | "hasExternalIds">[],
  issuer: string,
): boolean {
  return providers.some((one) => one.issuer === issuer && one.hasExternalIds);
}
