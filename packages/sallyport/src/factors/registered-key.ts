/** A public key as a person hands it in, made into what is stored with a key. */
import { readPublicKey } from "./public-key.ts";
import { sshFingerprint } from "./ssh-public-key.ts";

export interface RegisteredKey {
  readonly algorithm: "ed25519" | "ecdsa-p256-sha256";
  /** As `ssh-keygen -l` prints it; the `keyid` of its signatures. */
  readonly fingerprint: string;
  /** SPKI in DER, base64. */
  readonly material: string;
}

const RAW_LENGTHS = { ed25519: 32, "ecdsa-p256-sha256": 65 } as const;
const SSH_TYPES = { ed25519: "ssh-ed25519", "ecdsa-p256-sha256": "ecdsa-sha2-nistp256" } as const;

/** Undefined for what is no public key of an algorithm that is accepted. */
export function readRegisteredKey(text: string): RegisteredKey | undefined {
  for (const algorithm of ["ed25519", "ecdsa-p256-sha256"] as const) {
    const key = readPublicKey(text, algorithm);
    if (!key) continue;
    const der = key.export({ type: "spki", format: "der" });
    const fingerprint = sshFingerprint(SSH_TYPES[algorithm], der.subarray(-RAW_LENGTHS[algorithm]));
    return { algorithm, fingerprint, material: der.toString("base64") };
  }
  return undefined;
}
