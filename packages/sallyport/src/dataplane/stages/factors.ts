/**
 * The access conditions that need the body: the request's signature, over the digest of what was read. Its networks
 * were checked when the key was known; whether what was presented is enough is decided with everything else or, on ways
 * without a model decision, here.
 */
import { isRefusal } from "@sallyport/protocol";
import { doorsOf } from "../../access/decide.ts";
import { refuseDoors } from "../../access/door.ts";
import type { Judge } from "../judge.ts";
import type { Stage } from "../pipeline.ts";
import type { RequestSignatures } from "../request-signatures.ts";

export function makeFactors(signatures: RequestSignatures): Stage {
  return (exchange) => signatures.verify(exchange);
}

/**
 * For what the gateway serves itself: the key is still valid, and the access conditions of the permission that opens
 * the endpoint are met.
 */
export function makeConditions(judge: Pick<Judge, "again">): Stage {
  return function conditions(exchange) {
    const right = judge.again(exchange);
    if (isRefusal(right)) return right;
    exchange.right = right;
    return refuseDoors(doorsOf(right, exchange.endpoint!.anyOf), exchange);
  };
}
