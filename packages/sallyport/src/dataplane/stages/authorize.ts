/**
 * The decision on what the request means, against the key and snapshot of this moment (reading the body took time), and
 * from it the bytes that will be sent.
 */
import { refuse } from "@sallyport/protocol";
import { decide, openRight } from "../../access/decide.ts";
import type { Snapshot } from "../../access/snapshot.ts";
import { keyRefusal } from "../../keys/directory.ts";
import type { KeyDirectory } from "../../keys/directory.ts";
import { refuseBareKey } from "../bare-key.ts";
import { rightOf } from "../exchange-right.ts";
import type { Token } from "../../tokens/token.ts";
import type { Stage } from "../pipeline.ts";

export interface AuthorizePorts {
  readonly snapshot: () => Snapshot;
  readonly keys: KeyDirectory;
  readonly isTokenRevoked: (token: Token) => boolean;
}

export function makeAuthorize({ snapshot, keys, isTokenRevoked }: AuthorizePorts): Stage {
  return function authorize(exchange) {
    const key = keys.find(exchange.key!.environment, exchange.key!.id);
    if (!key) return refuse("key_unknown");
    const stateRefused = keyRefusal(key);
    if (stateRefused) return stateRefused;
    if (exchange.token && isTokenRevoked(exchange.token)) return refuse("token_unknown");
    const right = rightOf(snapshot(), key, exchange.token);
    if (!right) return refuse("environment_not_here");
    const bare = refuseBareKey(right, exchange, exchange.endpoint?.served);
    if (bare) return bare;
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
    exchange.serialized = understood.serialize(decision.granted);
    return undefined;
  };
}
