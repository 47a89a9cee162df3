/** What a person who is logged in does with his own keys: sees them, and has one back that disuse has stopped. Never forwarded. */
import { OWN_KEYS_PATH, refuse } from "@sallyport/protocol";
import type { OwnKeysAnswer, OwnKeyView, Refusal } from "@sallyport/protocol";
import { doorsOf } from "../../access/decide.ts";
import { refuseDoors } from "../../access/door.ts";
import type { Clock } from "../../kernel/clock.ts";
import { readJson } from "../../kernel/strict-json/read-json.ts";
import { expiryOf } from "../../keys/key.ts";
import type { OwnKey, OwnKeys } from "../../keys/own-keys.ts";
import type { ByteBudget } from "../byte-budget.ts";
import type { Exchange } from "../exchange.ts";
import { writeOwnAnswer } from "../own-answer.ts";
import { answered } from "../pipeline.ts";
import type { Stage, StageResult } from "../pipeline.ts";
import { readBody } from "../read-body.ts";
import type { RequestSignatures } from "../request-signatures.ts";

export interface PersonsKeysPorts {
  readonly ownKeys: OwnKeys;
  readonly budget: ByteBudget;
  readonly clock: Clock;
  readonly signatures: RequestSignatures;
}

const KEY_ID = /^[0-9A-Za-z]{12}$/;

export function makePersonsKeys({ ownKeys, budget, clock, signatures }: PersonsKeysPorts): Stage {
  async function answer(exchange: Exchange): Promise<StageResult> {
    const { environment, id } = exchange.key!;
    if (exchange.expectsContinue) exchange.response.writeContinue();
    const body = await readBody(exchange, exchange.endpoint!.bodyBytesMax, budget, clock);
    if (!Buffer.isBuffer(body)) return body.code === "body_too_large" ? tooLarge(exchange) : body;
    if (exchange.hasSignature) exchange.signedBody = body;
    // No permission opens this: the doors are those that the environment and the key have for everything.
    const shut = signatures.verify(exchange) ?? refuseDoors(doorsOf(exchange.right!, []), exchange);
    if (shut) return shut;
    if (exchange.path === OWN_KEYS_PATH) {
      const found = await ownKeys.list({ environment, id });
      if ("code" in found) return found;
      const said: OwnKeysAnswer = { environment, keys: found.map(viewOwnKey) };
      writeOwnAnswer(exchange, said);
      return answered;
    }
    const wanted = readKeyId(body);
    if (typeof wanted !== "string") return wanted;
    const resumed = await ownKeys.resume({ environment, id }, wanted, exchange.address);
    if ("code" in resumed) return resumed;
    writeOwnAnswer(exchange, viewOwnKey(resumed));
    return answered;
  }
  return (exchange) => (exchange.endpoint!.served === "person" ? answer(exchange) : undefined);
}

function tooLarge({ endpoint }: Exchange): Refusal {
  return refuse(endpoint!.body === "none" ? "body_not_accepted" : "body_too_large");
}

function readKeyId(body: Buffer): string | Refusal {
  const read = readJson(body);
  if (!read.ok) return refuse(read.code, read.detail);
  const { value } = read;
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
