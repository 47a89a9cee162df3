/** What a text that someone found turns out to be: the judgement of leak reports and of keys in traffic. */
import { findKeys, parseKeyText } from "@sallyport/protocol";
import type { KeyKind, KeyText } from "@sallyport/protocol";
import type { KeyRecord } from "../keys/key.ts";

/**
 * `unproven`: it has the form and the checksum of a key, but its secret is of no key here (an id alone proves nothing).
 * `over`: the secret was this key's, and no longer opens anything. `working`: anyone who has it can use the key, now or when
 * the key is resumed.
 */
export type FoundLeak =
  | { readonly verdict: "no_key" }
  | { readonly verdict: "unproven"; readonly kind: KeyKind; readonly environment: string; readonly id: string }
  | { readonly verdict: "over" | "working"; readonly kind: KeyKind; readonly key: KeyRecord };

export interface FoundLeakPorts {
  /** The key whose secret, or URL token, this whole text is; undefined without one. */
  readonly holderOf: (text: string, said: KeyText) => { readonly key: KeyRecord; readonly isOver: boolean } | undefined;
}

/** Texts found in one place of a report: more than that are not looked at. */
const KEYS_MAX = 8;

/** The credentials inside a text, each judged; a text without one is `no_key`. */
export function judgeText(ports: FoundLeakPorts, text: string): readonly FoundLeak[] {
  const found: FoundLeak[] = [];
  findKeys(Buffer.from(text, "latin1"), ({ key, start, end }) => {
    if (found.length < KEYS_MAX) found.push(judgeKey(ports, text.slice(start, end), key));
  });
  return found.length === 0 ? [{ verdict: "no_key" }] : found;
}

/** `text`: exactly one credential. */
export function judgeKey({ holderOf }: FoundLeakPorts, text: string, said = parseKeyText(text)): FoundLeak {
  if (!said) return { verdict: "no_key" };
  const { kind, environment, id } = said;
  const held = holderOf(text, said);
  if (!held) return { verdict: "unproven", kind, environment, id };
  return { verdict: held.isOver || held.key.state === "revoked" ? "over" : "working", kind, key: held.key };
}
