/** The ledger's cryptography on Node: SHA-256 in one call, and Ed25519. */
import { createPublicKey, hash, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { LedgerCrypto, TreeHash } from "../index.ts";

const NODE_BYTES = 65;
const node = Buffer.alloc(NODE_BYTES);
node[0] = 1;

/** From one buffer and with hex on both sides: half of what arrays of bytes cost. */
export const treeHash: TreeHash = {
  leaf: (entry) => hash("sha256", `\0${entry}`, "hex"),
  node(left, right) {
    node.write(left, 1, "hex");
    node.write(right, 33, "hex");
    return hash("sha256", node, "hex");
  },
};

/** Keys that were seen: a key object costs more than the check. */
const keys = new Map<string, KeyObject>();
const KEYS_MAX = 256;

function keyOf(publicKey: Uint8Array): KeyObject {
  const x = Buffer.from(publicKey).toString("base64url");
  let key = keys.get(x);
  if (!key) {
    key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    if (keys.size < KEYS_MAX) keys.set(x, key);
  }
  return key;
}

export const ledgerCrypto: LedgerCrypto = {
  sha256: (bytes) => hash("sha256", bytes, "hex"),
  sha256Text: (text) => hash("sha256", text, "hex"),
  tree: treeHash,
  verify(publicKey, message, signature) {
    try {
      return verify(null, message, keyOf(publicKey), signature);
    } catch {
      // No point on the curve, for one.
      return false;
    }
  },
};
