/**
 * What a logged-in user does with their keys: list them, and reactivate one that was suspended for inactivity. Never
 * forwarded.
 */
import { isRefusal, OWN_KEYS_PATH, refuse } from "@sallyport/protocol";
import type { OwnKeysAnswer, OwnKeyView, Refusal } from "@sallyport/protocol";
import { expiryOf } from "../../keys/key.ts";
import type { OwnKey, OwnKeys } from "../../keys/own-keys.ts";
import { writeOwnAnswer } from "./own-answer.ts";
import type { Stage } from "../pipeline.ts";

const KEY_ID = /^[0-9A-Za-z]{12}$/;

export function makePersonsKeys(ownKeys: OwnKeys): Stage {
  return async function personsKeys(exchange) {
    const { environment, id } = exchange.key!;
    if (exchange.path === OWN_KEYS_PATH) {
      const found = await ownKeys.list({ environment, id });
      if (isRefusal(found)) return found;
      const said: OwnKeysAnswer = { environment, keys: found.map(viewOwnKey) };
      return writeOwnAnswer(exchange, said);
    }
    const wanted = readKeyId(exchange.json);
    if (typeof wanted !== "string") return wanted;
    const resumed = await ownKeys.resume({ environment, id }, wanted, exchange.address);
    return isRefusal(resumed) ? resumed : writeOwnAnswer(exchange, viewOwnKey(resumed));
  };
}

function readKeyId(value: unknown): string | Refusal {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse("json_malformed");
  const { id, ...rest } = value as Readonly<Record<string, unknown>>;
  const isRight = typeof id === "string" && KEY_ID.test(id) && Object.keys(rest).length === 0;
  return isRight ? id : refuse("field_invalid", "id alone, of a key");
}

function viewOwnKey({ key, lastUsedAt, next, isResumable }: OwnKey): OwnKeyView {
  const { id, name, state, reason } = key;
  return {
    id,
    name,
    state,
    reason,
    expiresAt: isoTime(expiryOf(key)),
    lastUsedAt: isoTime(lastUsedAt),
    next: next && { action: next.action, code: next.code, at: new Date(next.at).toISOString() },
    isResumable,
  };
}

function isoTime(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString();
}
