/** Public keys as OpenSSH writes them (RFC 4253 section 6.6, RFC 8709, RFC 5656), and their fingerprint. */
import { createHash } from "node:crypto";

export interface SshPublicKey {
  readonly type: "ssh-ed25519" | "ecdsa-sha2-nistp256";
  /** Ed25519: 32 bytes. P-256: the uncompressed point, 65 bytes. */
  readonly raw: Buffer;
  /** `SHA256:` and base64 without padding, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
}

/** What comes before the key's own bytes, for each type: length-prefixed names and the last length. */
const PREFIXES = {
  "ssh-ed25519": Buffer.concat([wireText("ssh-ed25519"), Buffer.from([0, 0, 0, 32])]),
  "ecdsa-sha2-nistp256": Buffer.concat([
    wireText("ecdsa-sha2-nistp256"),
    wireText("nistp256"),
    Buffer.from([0, 0, 0, 65]),
  ]),
};
const RAW_LENGTHS = { "ssh-ed25519": 32, "ecdsa-sha2-nistp256": 65 };

const LINE = /^(ssh-ed25519|ecdsa-sha2-nistp256) ([A-Za-z0-9+/]{4,256}={0,2})(?: [^\r\n]{0,256})?\r?\n?$/;

/** One line of a `.pub` file: `ssh-ed25519 AAAA… comment`. Undefined for anything else, options before it included. */
export function parseSshPublicKey(text: string): SshPublicKey | undefined {
  const parts = text.length <= 1024 ? LINE.exec(text) : null;
  const blob = parts && decodeBase64(parts[2]!);
  return blob ? readSshBlob(blob, parts[1] as SshPublicKey["type"]) : undefined;
}

/** The wire form of a key of that type, nothing before or after it. */
export function readSshBlob(blob: Buffer, type: SshPublicKey["type"]): SshPublicKey | undefined {
  const prefix = PREFIXES[type];
  if (blob.length !== prefix.length + RAW_LENGTHS[type] || !blob.subarray(0, prefix.length).equals(prefix))
    return undefined;
  const fingerprint = `SHA256:${createHash("sha256")
    .update(blob)
    .digest("base64")
    .replace(/={1,2}$/, "")}`;
  return { type, raw: blob.subarray(prefix.length), fingerprint };
}

/** What `ssh-keygen -l` prints of a key in its bare bytes. */
export function sshFingerprint(type: SshPublicKey["type"], raw: Buffer): string {
  return readSshBlob(Buffer.concat([PREFIXES[type], raw]), type)?.fingerprint ?? "";
}

/** Standard base64 with its padding, and only the one spelling of the bytes. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

function wireText(text: string): Buffer {
  const bytes = Buffer.alloc(4 + text.length);
  bytes.writeUInt32BE(text.length);
  bytes.write(text, 4, "latin1");
  return bytes;
}
