/** Rows of token keys and of tokens that were ended, and the values they stand for. */
import type { RevokedToken } from "../../tokens/operations.ts";
import type { TokenKeyRecord } from "../../tokens/operations.ts";
import { readRow as read } from "../disk/damaged-record.ts";
import { text, wholeNumber } from "../disk/json-shape.ts";
import type { SqlRow } from "../disk/sqlite.ts";

export function readTokenKey(row: SqlRow): TokenKeyRecord {
  return read("token key", row["id"], () => ({
    environment: text(row["environment"], "environment"),
    id: text(row["id"], "id"),
    sealed: text(row["sealed"], "sealed"),
    purpose: text(row["purpose"], "purpose"),
    publicKey: text(row["public_key"], "public_key"),
    createdAt: wholeNumber(row["created_at"], "created_at"),
  }));
}

export function readRevokedToken(row: SqlRow): RevokedToken {
  return read("revoked token", row["id"], () => ({
    environment: text(row["environment"], "environment"),
    id: text(row["id"], "id"),
    // The column is in seconds, as the token itself says it.
    expiresAt: wholeNumber(row["expires_at"], "expires_at") * 1_000,
  }));
}
