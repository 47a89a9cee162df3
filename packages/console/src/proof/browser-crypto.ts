/**
 * The audit log's cryptography in a browser, whose own (Web Crypto) answers only with promises: SHA-256 and Ed25519 of
 * @noble, judged as strictly as the gateway's (RFC 8032 without ZIP 215's exceptions).
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { LedgerCrypto } from "@sallyport/ledger";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

const hexOf = (bytes: Uint8Array): string => bytesToHex(sha256(bytes));

export const browserCrypto: LedgerCrypto = {
  sha256: hexOf,
  sha256Text: (text) => hexOf(utf8ToBytes(text)),
  tree: {
    leaf: (entry) => hexOf(concatBytes(LEAF, utf8ToBytes(entry))),
    node: (left, right) => hexOf(concatBytes(NODE, hexToBytes(left), hexToBytes(right))),
  },
  verify(publicKey, message, signature) {
    try {
      return ed25519.verify(signature, message, publicKey, { zip215: false });
    } catch {
      // Bytes of another length, for one.
      return false;
    }
  },
};
