/** What the watch is told of an exchange when it is over: the same as the ledger's records would tell it. */
import { observe } from "../anomaly/observation.ts";
import type { Observation } from "../anomaly/observation.ts";
import { peerOf } from "../anomaly/replay/from-records.ts";
import type { Exchange } from "../dataplane/exchange.ts";
import type { KeyRecord } from "../keys/key.ts";

/** Undefined for what belongs to no key: it was refused before, and is counted elsewhere. */
export function observeExchange(exchange: Exchange, at: number, totalMs: number): Observation | undefined {
  const { key, endpoint, understood, refusal, usage } = exchange;
  if (!key || !endpoint) return undefined;
  const isExchange = exchange.ticket !== null || exchange.isUnrecorded;
  if (!isExchange && !refusal) return undefined;
  return observe({
    kind: isExchange ? "exchange" : "refused",
    at,
    environment: key.environment,
    key: key.id,
    owner: key.owner,
    peer: peers(key),
    isDecoy: key.isDecoy,
    request: exchange.id,
    endpoint: endpoint.id,
    permissions: understood?.demands.map(({ permission }) => permission) ?? [],
    model: understood?.model?.key ?? null,
    address: exchange.address,
    client: exchange.client,
    outcome: exchange.outcome,
    code: refusal?.code ?? null,
    inputTokens: usage?.inputTokens ?? 0,
    outputTokens: usage?.outputTokens ?? 0,
    requestBytes: exchange.serialized?.bytes.length ?? 0,
    answerBytes: exchange.sentBytes,
    firstByteMs: exchange.firstByteMs,
    totalMs,
  });
}

/** By the roles of a ceiling, which many keys share: a text made once for each, not for each request. */
const made = new WeakMap<readonly string[], string | null>();

function peers(key: KeyRecord): string | null {
  const { roles } = key.ceiling;
  let peer = made.get(roles);
  if (peer === undefined) made.set(roles, (peer = peerOf(roles)));
  return peer;
}
