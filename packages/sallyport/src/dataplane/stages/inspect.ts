/**
 * The fifth check: a bounded read, and the strict parse of what was read. The result is the only form that policy looks
 * at and the only source of what is sent (R1). Blobs are not read here: they are streamed through when they are
 * forwarded.
 */
import { isRefusal, refuse, withoutKeys } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Clock } from "../../kernel/clock.ts";
import { readJson } from "../../kernel/strict-json/read-json.ts";
import type { Exchange } from "../exchange.ts";
import type { ByteBudget } from "../byte-budget.ts";
import { readForm } from "../oauth/form.ts";
import type { Stage } from "../pipeline.ts";
import { readBody } from "../read-body.ts";
import { INFERENCE_BYTES_MAX } from "../wire/endpoints.ts";

const NOTHING = Buffer.alloc(0);

/** One request may hold an eighth of the budget, and always what images and long prompts take. */
export function requestBytesMax(budgetBytes: number): number {
  return Math.max(INFERENCE_BYTES_MAX, Math.floor(budgetBytes / 8));
}

export interface ReadPorts {
  readonly budget: ByteBudget;
  readonly clock: Clock;
}

/** The bytes of the body, on every way that has one. */
export function makeRead({ budget, clock }: ReadPorts): Stage {
  const inferenceBytesMax = requestBytesMax(budget.most);
  return function read(exchange) {
    const endpoint = exchange.endpoint!;
    const { contentEncoding, contentLength, isChunked } = exchange;
    if (contentEncoding !== null && contentEncoding.toLowerCase() !== "identity") return refuse("encoding_unsupported");
    exchange.body = NOTHING;
    if (endpoint.body === "none")
      return isChunked || (contentLength ?? 0) > 0 ? refuse("body_not_accepted") : undefined;
    const bytesMax = endpoint.bodyBytesMax === INFERENCE_BYTES_MAX ? inferenceBytesMax : endpoint.bodyBytesMax;
    if (contentLength !== null && contentLength > bytesMax)
      return refuse("body_too_large", `more than ${bytesMax} bytes`);
    if (exchange.expectsContinue) exchange.response.writeContinue();
    if (endpoint.body === "blob") return undefined;
    return readBody(exchange, bytesMax, budget, clock).then((body) => {
      if (!Buffer.isBuffer(body)) return body;
      exchange.body = body;
      return undefined;
    });
  };
}

/** What a request of a model means. */
export function understand(exchange: Exchange): Refusal | undefined {
  const understood = exchange.endpoint!.understand(exchange.body!, exchange.parameter, exchange.contentType ?? "");
  if (isRefusal(understood)) return understood;
  // Names of models are recorded, counted and shown: they are no place for a key.
  for (const { model } of understood.demands)
    if (model !== null && withoutKeys(model.spelling) !== model.spelling)
      return refuse("key_in_request", "a model's name");
  exchange.understood = understood;
  return undefined;
}

/** What a request says that the gateway answers itself: JSON, or nothing where there is no body. */
export function readOwnJson(exchange: Exchange): Refusal | undefined {
  if (exchange.endpoint!.body === "none") return undefined;
  const read = readJson(exchange.body!);
  if (!read.ok) return refuse(read.code, read.detail);
  exchange.json = read.value;
  return undefined;
}

/** The same of a form. */
export function readOwnForm(exchange: Exchange): Refusal | undefined {
  const form = readForm(exchange.body!, exchange.contentType);
  if (isRefusal(form)) return form;
  exchange.form = form;
  return undefined;
}
