/** What a key may do with itself: make its next secret, where it was granted that. Answered here, never forwarded. */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { doorsOf } from "../../access/decide.ts";
import { refuseDoors } from "../../access/door.ts";
import type { Clock } from "../../kernel/clock.ts";
import { Secret } from "../../kernel/secret.ts";
import { readJson } from "../../kernel/strict-json/read-json.ts";
import type { KeyLifecycle } from "../../keys/lifecycle.ts";
import type { ByteBudget } from "../byte-budget.ts";
import type { Exchange } from "../exchange.ts";
import { answered } from "../pipeline.ts";
import type { Stage, StageResult } from "../pipeline.ts";
import { readBody } from "../read-body.ts";
import type { RequestSignatures } from "../request-signatures.ts";
import { writeOwnAnswer } from "../own-answer.ts";

export interface OwnKeyPorts {
  readonly lifecycle: Pick<KeyLifecycle, "rotateItself">;
  readonly budget: ByteBudget;
  readonly clock: Clock;
  readonly signatures: RequestSignatures;
}

const BODY_BYTES_MAX = 4 * 1024;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{16,128}$/;

export function makeOwnKey({ lifecycle, budget, clock, signatures }: OwnKeyPorts): Stage {
  async function rotate(exchange: Exchange): Promise<StageResult> {
    if (exchange.expectsContinue) exchange.response.writeContinue();
    const body = await readBody(exchange, BODY_BYTES_MAX, budget, clock);
    if (!Buffer.isBuffer(body)) return body;
    if (exchange.hasSignature) exchange.signedBody = body;
    const shut = signatures.verify(exchange) ?? refuseDoors(doorsOf(exchange.right!, ["self:rotate"]), exchange);
    if (shut) return shut;
    const idempotencyKey = readIdempotencyKey(body);
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
    if ("code" in rotated) return rotated;
    const { text, expiresAt, overlapEndsAt } = rotated;
    const times = { expiresAt: isoTime(expiresAt), overlapEndsAt: isoTime(overlapEndsAt) };
    writeOwnAnswer(exchange, { id, key: text.reveal(), environment, ...times });
    return answered;
  }
  return (exchange) => (exchange.endpoint!.served === "key" ? rotate(exchange) : undefined);
}

/** Demanded here: who rotates by himself has nobody to ask when the answer is lost. */
function readIdempotencyKey(body: Buffer): string | Refusal {
  const read = readJson(body);
  if (!read.ok) return refuse(read.code, read.detail);
  const { value } = read;
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
