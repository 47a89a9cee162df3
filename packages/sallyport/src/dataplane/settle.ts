/**
 * The end of every exchange, once, whatever happened: slots and bytes are returned, the outcome recorded, denials
 * counted.
 */
import { encodeEvent } from "@sallyport/ledger";
import type { Refusal } from "@sallyport/protocol";
import type { LedgerAppender } from "../audit/recorder.ts";
import type { Clock } from "../kernel/clock.ts";
import type { KeyLimits } from "../limits/key-limits.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { endingOf } from "./ending.ts";
import type { EndListener } from "./ending.ts";
import type { Exchange } from "./exchange.ts";
import { computeMsOf } from "./cost.ts";
import type { LiveExchanges } from "./live-exchanges.ts";
import type { Quotas } from "./quotas.ts";
import { giveReplica } from "./upstream/turn.ts";

/** Where denials are recorded: aggregates before authentication, one record each (up to a rate) after it. */
export interface RefusalLog {
  unauthenticated(refusal: Refusal, address: string): void;
  authenticated(exchange: Exchange, refusal: Refusal): void;
}

export interface SettlePorts {
  readonly clock: Clock;
  readonly limits: KeyLimits;
  readonly quotas: Pick<Quotas, "settle">;
  readonly budget: ByteBudget;
  readonly live: LiveExchanges;
  readonly ledger: LedgerAppender;
  readonly refusals: RefusalLog;
  readonly listeners: readonly EndListener[];
  /** A listener that throws must not undo what was settled, nor keep the others from hearing. */
  readonly fault: (cause: unknown) => void;
}

export function makeSettle(ports: SettlePorts): (exchange: Exchange) => void {
  const { clock, limits, quotas, budget, live, ledger, refusals, listeners, fault } = ports;
  return function settle(exchange) {
    if (exchange.isSettled) return;
    exchange.isSettled = true;
    live.remove(exchange);
    exchange.interruptible = null;
    const key = exchange.key;
    if (exchange.heldPlaces !== null) limits.release(exchange.heldPlaces);
    budget.give(exchange);
    giveReplica(exchange, clock);
    quotas.settle(exchange);
    const totalMs = clock.monotonic() - exchange.startedMs;
    if (exchange.ticket !== null || exchange.isUnrecorded)
      ledger.append(encodeOutcome(exchange, clock.now(), totalMs), false);
    else if (exchange.refusal && key) refusals.authenticated(exchange, exchange.refusal);
    else if (exchange.refusal) refusals.unauthenticated(exchange.refusal, exchange.address);
    const ending = endingOf(exchange);
    for (const listener of listeners) {
      try {
        listener.ended(exchange, ending, totalMs);
      } catch (cause) {
        fault(cause);
      }
    }
  };
}

function encodeOutcome(exchange: Exchange, at: number, totalMs: number): string {
  const { key, endpoint, usage } = exchange;
  return encodeEvent({
    type: endpoint!.recorded === "management" ? "model.outcome" : "request.outcome",
    at,
    environment: key!.environment,
    actor: `key:${key!.id}`,
    fields: {
      request: exchange.id,
      principal: key!.owner,
      outcome: exchange.outcome ?? "broken",
      upstream: exchange.upstream?.spec.id ?? null,
      code: exchange.refusal?.code ?? null,
      upstream_status: exchange.upstreamStatus,
      model: exchange.understood!.model?.key ?? null,
      team: exchange.right?.team ?? null,
      input_tokens: usage?.inputTokens ?? null,
      output_tokens: usage?.outputTokens ?? null,
      is_estimated: usage?.isEstimated ?? false,
      compute_ms: computeMsOf(exchange),
      queue_ms: Math.round(exchange.queuedMs),
      first_byte_ms: exchange.firstByteMs,
      total_ms: Math.round(totalMs),
      bytes_in: exchange.serialized?.bytes.length ?? 0,
      bytes: exchange.sentBytes,
    },
  });
}
