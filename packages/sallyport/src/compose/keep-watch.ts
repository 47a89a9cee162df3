/**
 * What was learned of keys, in a file, and what is forgotten. Some 6 kB a key are written some keys at a time, because the
 * thread that does it is the one of requests. The file is one JSON text, whole or as it was before.
 */
import { SYSTEM_REALM } from "@sallyport/protocol";
import type { Alert } from "../anomaly/alert.ts";
import type { KeyWatch, KeptWatch } from "../anomaly/watch/key-watch.ts";
import { expiryOf } from "../keys/key.ts";
import type { KeyRecord } from "../keys/key.ts";
import { replaceDurably } from "../store/disk/durable-file.ts";

const KEYS_A_PIECE = 32;
const DAY_MS = 86_400_000;
/** A key that is gone may still be tried, and told: for so long it is remembered. */
const GONE_MS = DAY_MS;
/** Every other key is forgotten this long after its last use, and learned again. */
const SILENT_MS = 180 * DAY_MS;

/** Resolves when it is on disk. */
export function keepWatch(watch: KeyWatch, alerts: readonly Alert[], path: string): Promise<void> {
  return replaceDurably(path, piecesOf(watch, alerts));
}

/** The text of a `KeptWatch` and the alerts beside it. */
export async function* piecesOf(watch: KeyWatch, alerts: readonly Alert[]): AsyncGenerator<Buffer> {
  let piece = "";
  let count = 0;
  for (const key of watch.keepKeys()) {
    piece += `${count === 0 ? '{"keys":[' : ","}${JSON.stringify(key)}`;
    if (++count % KEYS_A_PIECE !== 0) continue;
    yield Buffer.from(piece);
    piece = "";
  }
  // Last, so that the names of what was learned meanwhile are in it.
  const rest: Omit<KeptWatch, "keys"> & { readonly alerts: readonly Alert[] } = { ...watch.keepRest(), alerts };
  yield Buffer.from(`${piece}${count === 0 ? '{"keys":[' : ""}],${JSON.stringify(rest).slice(1)}`);
}

/** Nothing can be done with the key any more: it was never there, is revoked, or has ended. */
export function isKeyOver(key: KeyRecord | undefined, now: number): boolean {
  return !key || key.state === "revoked" || (expiryOf(key) ?? Infinity) <= now;
}

export interface Forgetting {
  /** Epoch ms. */
  readonly now: number;
  /** Whether nothing can be done with the key any more. */
  readonly isGone: (environment: string, key: string) => boolean;
  /** Others get a turn now. */
  readonly turn: () => Promise<unknown>;
}

/** Makes room of keys that are gone, or silent for long: without it every key there ever was would be held, 4 kB each. */
export async function forgetOldKeys(watch: KeyWatch, { now, isGone, turn }: Forgetting): Promise<void> {
  let count = 0;
  for (const { environment, key, at } of watch.seen()) {
    const silentMs = now - at;
    // Beside admin keys, the realm has those who act without a key.
    const mayBeGone = silentMs > GONE_MS && environment !== SYSTEM_REALM;
    if (silentMs > SILENT_MS || (mayBeGone && isGone(environment, key))) watch.forget(environment, key);
    if (++count % KEYS_A_PIECE === 0) await turn();
  }
}
