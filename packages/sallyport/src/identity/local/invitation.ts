/** The code an operator hands to a person, who chooses his password with it: 155 bits, typed or pasted, kept only as its hash. */
import { createHash } from "node:crypto";
import { randomBase62 } from "../../kernel/ids.ts";
import { Secret } from "../../kernel/secret.ts";

export const INVITATION_MS = 24 * 3_600_000;
const LENGTH = 26;

export function newInvitation(): Secret {
  return new Secret(randomBase62(LENGTH));
}

/** Of what cannot be guessed a plain hash is enough. Undefined for what is no code. */
export function hashInvitation(code: string): string | undefined {
  const text = code.replace(/\s/g, "");
  return /^[0-9A-Za-z]{26}$/.test(text) ? createHash("sha256").update(text).digest("hex") : undefined;
}
