/**
 * The fifth door: a slot of the key, a bounded read and the strict parse. What comes out is the only form policy looks at and the only
 * source of what is sent (R1). Blobs are not read here: they are streamed through when they are forwarded.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Clock } from "../../kernel/clock.ts";
import type { KeyLimits } from "../../limits/key-limits.ts";
import type { Exchange } from "../exchange.ts";
import type { ByteBudget } from "../byte-budget.ts";
import type { Stage } from "../pipeline.ts";
import { readBody } from "../read-body.ts";
import { INFERENCE_BYTES_MAX } from "../wire/endpoints.ts";

const NOTHING = Buffer.alloc(0);

/** One request may hold an eighth of the budget, and always what images and long prompts take. */
export function requestBytesMax(budgetBytes: number): number {
  return Math.max(INFERENCE_BYTES_MAX, Math.floor(budgetBytes / 8));
}

export interface InspectPorts {
  readonly budget: ByteBudget;
  readonly clock: Clock;
  readonly limits: KeyLimits;
}

export function makeInspect({ budget, clock, limits }: InspectPorts): Stage {
  const inferenceBytesMax = requestBytesMax(budget.most);
  return function inspect(exchange) {
    // Before the body: a key that may run one request at a time may also send one at a time.
    const key = exchange.key!;
    if (!limits.takeSlot(`${key.environment}/${key.id}`, exchange.right!.limits))
      return { ...refuse("concurrency_exceeded"), retryAfterSeconds: 1 };
    exchange.holdsKeySlot = true;
    const endpoint = exchange.endpoint!;
    const { contentEncoding, contentLength, isChunked } = exchange;
    if (contentEncoding !== null && contentEncoding.toLowerCase() !== "identity") return refuse("encoding_unsupported");
    const hasBody = isChunked || (contentLength ?? 0) > 0;
    if (endpoint.body === "none") return hasBody ? refuse("body_not_accepted") : understand(exchange, NOTHING);
    if (endpoint.body === "blob") {
      if (exchange.expectsContinue) exchange.response.writeContinue();
      return understand(exchange, NOTHING);
    }
    const bytesMax = endpoint.bodyBytesMax === INFERENCE_BYTES_MAX ? inferenceBytesMax : endpoint.bodyBytesMax;
    if (contentLength !== null && contentLength > bytesMax)
      return refuse("body_too_large", `more than ${bytesMax} bytes`);
    if (exchange.expectsContinue) exchange.response.writeContinue();
    return readBody(exchange, bytesMax, budget, clock).then((body) =>
      Buffer.isBuffer(body) ? understand(exchange, body) : body,
    );
  };
}

function understand(exchange: Exchange, body: Buffer): Refusal | undefined {
  const understood = exchange.endpoint!.understand(body, exchange.parameter, exchange.contentType ?? "");
  if ("code" in understood) return understood;
  exchange.understood = understood;
  if (exchange.hasSignature) exchange.signedBody = body;
  return undefined;
}
