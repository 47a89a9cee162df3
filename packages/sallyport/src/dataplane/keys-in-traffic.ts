/** Keys in what passes: the stage that looks at the bytes of a request, and what looks at those of its response. */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { AnswerKeys } from "../leaks/answer-keys.ts";
import type { AnswerKeyAction } from "../leaks/answer-keys.ts";
import { coverKeys, keysInRequest } from "../leaks/request-keys.ts";
import type { RequestKeys } from "../leaks/request-keys.ts";
import type { LeakyTraffic, TrafficLeaks } from "../leaks/traffic-leaks.ts";
import type { Exchange } from "./exchange.ts";
import type { Stage } from "./pipeline.ts";
import type { Serialized } from "./wire/understood.ts";

export type TrafficGuard = Pick<TrafficLeaks, "actionIn" | "note">;

/** Unescaping a longer body would hold up other requests: it is denied instead. */
const UNESCAPED_BYTES_MAX = 1024 * 1024;

/** The bytes that will be sent, and what the model server reads in them where they are escaped. */
export function makeKeysInRequest(guard: TrafficGuard): Stage {
  const judge = (exchange: Exchange, { texts, isEscaped }: RequestKeys): Refusal | undefined => {
    if (texts.length === 0) return undefined;
    for (const text of texts) guard.note(text, trafficOf(exchange, "request"));
    const action = guard.actionIn(exchange.key!.environment);
    if (action === "notify") return undefined;
    const { bytes } = exchange.serialized!;
    if (action === "redact" && !(isEscaped && bytes.length > UNESCAPED_BYTES_MAX)) {
      exchange.coversKeys = isEscaped ? "escaped" : "plain";
      exchange.serialized = withCoveredKeys(exchange, exchange.serialized!);
      return undefined;
    }
    const ids = texts.slice(0, IDS_TOLD).map((text) => text.split("_", 3).join("_"));
    return refuse("key_in_request", ids.join(", "));
  };
  return function keysOfRequest(exchange) {
    const keys = keysInRequest(exchange.serialized!.bytes, exchange.understood!.unsent);
    return keys instanceof Promise ? keys.then((found) => judge(exchange, found)) : judge(exchange, keys);
  };
}

const IDS_TOLD = 3;

/** As they are sent: bytes that are written again, for another model server, are covered again. */
export function withCoveredKeys({ coversKeys }: Pick<Exchange, "coversKeys">, serialized: Serialized): Serialized {
  if (coversKeys === null) return serialized;
  return { ...serialized, bytes: coverKeys(serialized.bytes, coversKeys === "escaped") };
}

/** `isFramed`: the response is a stream of lines or events. */
export function makeAnswerKeys(guard: TrafficGuard, exchange: Exchange, isFramed: boolean): AnswerKeys {
  return new AnswerKeys(isFramed, (text): AnswerKeyAction => {
    guard.note(text, trafficOf(exchange, "response"));
    const action = guard.actionIn(exchange.key!.environment);
    return action === "notify" ? "show" : action === "redact" ? "cover" : "stop";
  });
}

function trafficOf({ key, id, address }: Exchange, where: LeakyTraffic["where"]): LeakyTraffic {
  return { environment: key!.environment, caller: key!.id, principal: key!.owner, request: id, address, where };
}
