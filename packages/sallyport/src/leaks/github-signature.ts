/**
 * The signature of GitHub's secret scanning (partner programme): ECDSA P-256 with SHA-256 over the raw body, in DER and
 * base64. Its public keys are pinned in the settings, or read from GitHub and kept.
 */
import { createPublicKey, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { Clock } from "../kernel/clock.ts";
import { readJson } from "../kernel/strict-json/read-json.ts";

const KEY_ID = /^[0-9a-f]{40,64}$/;
const SIGNATURE = /^[A-Za-z0-9+/]{60,200}={0,2}$/;
const KEYS_MAX = 64;
/** An unknown key id may cause one look at GitHub in this time, from all senders together. */
const AGAIN_MS = 60_000;

/** The key of that PEM text, if it is one that GitHub's signatures can have. */
export function readGithubKey(pem: string): KeyObject | undefined {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1" ? key : undefined;
  } catch {
    return undefined;
  }
}

export function isGithubKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

export interface GithubKeysPorts {
  readonly clock: Pick<Clock, "monotonic">;
  /** By key id. */
  readonly pinned: ReadonlyMap<string, KeyObject>;
  /** The text at GitHub's address, or null to use pinned keys only. Rejects where it cannot be read. */
  readonly read: (() => Promise<string>) | null;
}

export class GithubKeys {
  readonly #ports: GithubKeysPorts;
  #fetched: ReadonlyMap<string, KeyObject> = new Map();
  #triedAtMs = -Infinity;
  #reading: Promise<void> | null = null;

  constructor(ports: GithubKeysPorts) {
    this.#ports = ports;
  }

  /** Whether the body is signed by a key of GitHub's. Anything malformed is not. */
  async hasSigned(body: Uint8Array, keyId: string | null, signature: string | null): Promise<boolean> {
    if (keyId === null || signature === null || !KEY_ID.test(keyId) || !SIGNATURE.test(signature)) return false;
    const key = await this.#keyOf(keyId);
    if (!key) return false;
    try {
      return verify("sha256", body, key, Buffer.from(signature, "base64"));
    } catch {
      return false;
    }
  }

  async #keyOf(id: string): Promise<KeyObject | undefined> {
    const known = (): KeyObject | undefined => this.#ports.pinned.get(id) ?? this.#fetched.get(id);
    const held = known();
    if (held) return held;
    await this.#readAgain();
    return known();
  }

  #readAgain(): Promise<void> {
    const { read, clock } = this.#ports;
    if (this.#reading) return this.#reading;
    const nowMs = clock.monotonic();
    if (read === null || nowMs - this.#triedAtMs < AGAIN_MS) return Promise.resolve();
    this.#triedAtMs = nowMs;
    this.#reading = read()
      .then((text) => {
        const keys = readGithubKeys(text);
        if (keys) this.#fetched = keys;
      })
      // What cannot be read verifies nothing; the sender tries again.
      .catch(() => undefined)
      .finally(() => (this.#reading = null));
    return this.#reading;
  }
}

/** `{"public_keys":[{"key_identifier","key","is_current"}]}` */
function readGithubKeys(text: string): ReadonlyMap<string, KeyObject> | undefined {
  const read = readJson(Buffer.from(text, "utf8"));
  const list = read.ok ? (read.value as { public_keys?: unknown } | null)?.public_keys : undefined;
  if (!Array.isArray(list) || list.length > KEYS_MAX) return undefined;
  const keys = new Map<string, KeyObject>();
  for (const one of list as readonly ({ key_identifier?: unknown; key?: unknown } | null)[]) {
    const { key_identifier: id, key: pem } = one ?? {};
    const key = typeof pem === "string" ? readGithubKey(pem) : undefined;
    if (typeof id === "string" && KEY_ID.test(id) && key) keys.set(id, key);
  }
  return keys;
}
