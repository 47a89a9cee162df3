/**
 * The URL token: a second secret of a key, for clients whose only setting is an address (`OLLAMA_HOST=…/k/spp_…/`).
 * URLs end up in logs and histories, so it is separate, valid nowhere else, and only if its environment allows such
 * tokens, over TLS or loopback, and from a network of an allow-list.
 */
import { formatKeyText, KEY_SECRET_LENGTH, parseKeyText, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { randomBase62 } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import { hashesAreEqual, hashKeyText } from "./hash.ts";
import type { KeyRecord, PathSecret } from "./key.ts";
import type { PepperRing } from "./pepper.ts";

export interface MadePathSecret {
  readonly text: Secret;
  readonly kept: PathSecret;
}

/** It carries the key's own id, so that it is found as the key is. */
export function makePathSecret(environment: string, id: string, peppers: PepperRing, now: number): MadePathSecret {
  const pepper = peppers.create(environment);
  const text = formatKeyText("spp", environment, id, randomBase62(KEY_SECRET_LENGTH));
  return {
    text: new Secret(text),
    kept: { hash: hashKeyText(text, pepper), pepperVersion: pepper.version, createdAt: now },
  };
}

const DUMMY_PEPPER = { version: 0, bytes: Buffer.alloc(32, 9) };
const DUMMY_HASH = Buffer.alloc(32);

/** The key whose URL token the text is, whatever its state. `credential_malformed` or `key_unknown`. */
export function findByPathSecret(
  text: string,
  find: (environment: string, id: string) => KeyRecord | undefined,
  peppers: PepperRing,
): KeyRecord | Refusal {
  const said = parseKeyText(text);
  if (said?.kind !== "path") return refuse("credential_malformed").with({ signal: "malformed" });
  const key = find(said.environment, said.id);
  const kept = key?.pathSecret ?? null;
  const pepper = kept && peppers.get(said.environment, kept.pepperVersion);
  const isRight = hashesAreEqual(hashKeyText(text, pepper ?? DUMMY_PEPPER), kept && pepper ? kept.hash : DUMMY_HASH);
  if (key && kept && pepper && isRight) return key;
  return refuse("key_unknown").with({ signal: kept ? "wrong_secret" : "unknown_id" });
}
