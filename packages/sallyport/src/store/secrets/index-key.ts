/**
 * The key of the segments' indexes, derived from the ledger's signing key: Ed25519 signatures are deterministic (RFC 8032,
 * section 5.1.6), so the hash of one over a fixed text is a secret of whoever holds that key, and no other file is needed.
 * Who could forge an index could sign another ledger.
 */
import { createHash, sign } from "node:crypto";
import type { Sealer } from "../../keys/sealer.ts";
import { dataPaths } from "../disk/data-paths.ts";
import { openSigningKey } from "./signing-key.ts";

const TEXT = "sallyport index of ledger segments 1\n";

/** 32 bytes. Throws `store_unavailable` where the signing key cannot be opened. */
export function openIndexKey(directory: string, sealer: Sealer): Buffer {
  const signature = sign(null, Buffer.from(TEXT), openSigningKey(dataPaths(directory), sealer));
  return createHash("sha256").update(signature).digest();
}
