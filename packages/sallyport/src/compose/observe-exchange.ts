/** What anomaly detection sees of a finished exchange: the same as the audit records contain. */
import { observe } from "../anomaly/observation.ts";
import type { Observation } from "../anomaly/observation.ts";
import { peerOf } from "../anomaly/replay/from-records.ts";
import type { Exchange } from "../dataplane/exchange.ts";
import type { KeyRecord } from "../keys/key.ts";

/** Undefined for exchanges without a key: they were denied earlier and are counted elsewhere. */
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

/** By the roles of a scope, which many keys share: one text per set of roles, not per request. */
const made = new WeakMap<readonly string[], string | null>();

function peers(key: KeyRecord): string | null {
  const { roles } = key.ceiling;
  let peer = made.get(roles);
  if (peer === undefined) made.set(roles, (peer = peerOf(roles)));
  return peer;
}
