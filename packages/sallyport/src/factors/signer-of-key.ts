/** From a public key as it is stored with a key to what verifies with it, made once for each. */
import { hkdfSync } from "node:crypto";
import type { KeyRecord, KeySigner } from "../keys/key.ts";
import type { PepperRing } from "../keys/pepper.ts";
import { makeSigner } from "./signer.ts";
import type { Signer } from "./signer.ts";

const made = new WeakMap<KeySigner, Signer>();

/** The key's signer of that id for RFC 9421; undefined where it has none such. */
export function signerOf(key: KeyRecord, id: string, peppers: Peppers): Signer | undefined {
  const stored = key.signers.find((signer) => signer.use === "request" && signer.id === id);
  if (!stored) return undefined;
  const held = made.get(stored);
  if (held) return held;
  const text =
    stored.algorithm === "hmac-sha256" ? hmacSecret(key, id, Number(stored.material), peppers) : stored.material;
  const signer = text === undefined ? undefined : makeSigner(id, stored.algorithm, text);
  if (signer) made.set(stored, signer);
  return signer;
}

type Peppers = Pick<PepperRing, "get">;

/**
 * The secret of an HMAC signer, base64url. It is not stored: it follows from the environment's pepper, the key and the
 * signer's id, and ends with that pepper. Undefined where the pepper is gone.
 */
export function hmacSecret(
  { environment, id: keyId }: Pick<KeyRecord, "environment" | "id">,
  id: string,
  pepperVersion: number,
  peppers: Peppers,
): string | undefined {
  const pepper = peppers.get(environment, pepperVersion);
  if (!pepper) return undefined;
  const info = `sallyport hmac signer ${environment}/${keyId}/${id}`;
  return Buffer.from(hkdfSync("sha256", pepper.bytes, "", info, 32)).toString("base64url");
}
