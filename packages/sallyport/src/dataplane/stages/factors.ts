/**
 * The doors besides the credential that need the body: the request's signature, over the digest of what was read. Its
 * networks were asked when the key was known; whether what was presented is enough is decided with everything else, or,
 * where nothing is decided of a model, here.
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

/** Of what the gateway answers itself: the key still stands, and the doors are open of whatever opens the endpoint. */
export function makeConditions(judge: Pick<Judge, "again">): Stage {
  return function conditions(exchange) {
    const right = judge.again(exchange);
    if (isRefusal(right)) return right;
    exchange.right = right;
    return refuseDoors(doorsOf(right, exchange.endpoint!.anyOf), exchange);
  };
}
