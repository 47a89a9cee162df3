/** What a key may do with itself: make its next secret, where it was granted that. Answered here, never forwarded. */
import { isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { Secret } from "../../kernel/secret.ts";
import type { KeyLifecycle } from "../../keys/lifecycle.ts";
import type { Stage } from "../pipeline.ts";
import { writeOwnAnswer } from "./own-answer.ts";

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{16,128}$/;

export function makeRotateItself(lifecycle: Pick<KeyLifecycle, "rotateItself">): Stage {
  return async function rotateItself(exchange) {
    const idempotencyKey = readIdempotencyKey(exchange.json);
    if (typeof idempotencyKey !== "string") return idempotencyKey;
    const { key, secret, address } = exchange;
    const { environment, id } = key!;
    const { generation } = secret!;
    const rotated = await lifecycle.rotateItself({
      environment,
      id,
      generation,
      address,
      idempotencyKey: new Secret(idempotencyKey),
    });
    if (isRefusal(rotated)) return rotated;
    const { text, expiresAt, overlapEndsAt } = rotated;
    const times = { expiresAt: isoTime(expiresAt), overlapEndsAt: isoTime(overlapEndsAt) };
    return writeOwnAnswer(exchange, { id, key: text.reveal(), environment, ...times });
  };
}

/** Required here: a program that rotates its own key has no one to ask if the response is lost. */
function readIdempotencyKey(value: unknown): string | Refusal {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse("json_malformed");
  const { idempotencyKey, ...rest } = value as Readonly<Record<string, unknown>>;
  const isRight = typeof idempotencyKey === "string" && IDEMPOTENCY_KEY.test(idempotencyKey);
  return isRight && Object.keys(rest).length === 0
    ? idempotencyKey
    : refuse("field_invalid", "idempotencyKey alone, 16 to 128 visible characters");
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
