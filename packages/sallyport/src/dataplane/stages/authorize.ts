/**
 * The decision on what the request means, against the key and snapshot of this moment (reading the body took time), and
 * from it the bytes that will be sent.
 */
import { isRefusal } from "@sallyport/protocol";
import { decide, openRight } from "../../access/decide.ts";
import type { Quotas } from "../quotas.ts";
import type { Judge } from "../judge.ts";
import type { Stage } from "../pipeline.ts";

export function makeAuthorize(judge: Pick<Judge, "again">, quotas: Pick<Quotas, "reserve">): Stage {
  return function authorize(exchange) {
    const right = judge.again(exchange);
    if (isRefusal(right)) return right;
    exchange.right = openRight(right, exchange);
    const understood = exchange.understood!;
    const decision = decide(
      right,
      {
        demands: exchange.demands,
        offers: understood.offers,
        registries: understood.registries,
        asked: understood.asked,
      },
      exchange,
    );
    if (!decision.isAllowed) return decision.refusal;
    exchange.question = {
      demands: decision.demands,
      offers: [],
      registries: understood.registries,
      asked: understood.asked,
    };
    const outputTokens = quotas.reserve(exchange, decision.granted.outputTokens);
    if (isRefusal(outputTokens)) return outputTokens;
    exchange.terms = { ...decision.granted, outputTokens };
    exchange.spelling = understood.model?.spelling ?? null;
    exchange.serialized = understood.serialize(exchange.terms);
    return undefined;
  };
}
