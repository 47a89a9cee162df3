/** What can be done to tokens and the keys that sign them, and the record each operation leaves. */
/** A signing key as it is stored. */
export interface TokenKeyRecord {
  readonly environment: string;
  /** `kid`, unique in all environments. */
  readonly id: string;
  /** PKCS #8 in DER, encrypted for `purpose`: it cannot be decrypted in another place. */
  readonly sealed: string;
  readonly purpose: string;
  /** SPKI in DER, base64. */
  readonly publicKey: string;
  /** Epoch ms. */
  readonly createdAt: number;
}

export interface RevokedToken {
  readonly environment: string;
  readonly id: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}

export type TokenOperation =
  | { readonly op: "tokenKey.insert"; readonly tokenKey: TokenKeyRecord }
  | { readonly op: "tokenKey.remove"; readonly environment: string; readonly id: string }
  | { readonly op: "token.revoke"; readonly token: RevokedToken };

export type TokenImage =
  | { readonly of: "token_key"; readonly id: string; readonly now: TokenKeyRecord | null }
  | { readonly of: "revoked_token"; readonly environment: string; readonly id: string; readonly now: RevokedToken };
