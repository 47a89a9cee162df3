/**
 * Hands out a key by a one-time delivery link instead of returning it: the link is created here and added to the same
 * change.
 */
import { Problem } from "@sallyport/protocol";
import { formatDurationMs, parseDurationMs } from "@sallyport/contract";
import type { Delivery } from "@sallyport/contract";
import type { Operation } from "../changes/change.ts";
import type { LedgerEvent } from "../audit/event.ts";
import type { Secret } from "../kernel/secret.ts";
import { makeTicket } from "../keys/ticket.ts";
import type { TicketRecord } from "../keys/ticket.ts";
import { parseNetwork } from "../kernel/network-list.ts";
import { eventOf, refuseMistakes } from "./call.ts";
import type { AnyCall } from "./call.ts";

const TICKET_TTL_MS = 15 * 60_000;
const TICKET_TTL_MAX_MS = 24 * 60 * 60_000;

export interface DeliveredKey extends Pick<TicketRecord, "environment" | "keyId" | "keyName" | "purpose"> {
  readonly text: Secret;
}

export interface MadeDelivery {
  readonly ticket: Secret;
  readonly expiresAt: number;
  readonly operation: Operation;
  readonly event: LedgerEvent;
}

/** Asked before a key is made, so that none is made that cannot be handed over. */
export function checkDelivery(delivery: Delivery | undefined): void {
  if (!delivery) return;
  const { ttl, from = [] } = delivery;
  const ttlMs = ttl === undefined ? TICKET_TTL_MS : (parseDurationMs(ttl) ?? 0);
  if (ttlMs > TICKET_TTL_MAX_MS)
    throw new Problem(
      "lifetime_exceeds_maximum",
      `a delivery link is valid for at most ${formatDurationMs(TICKET_TTL_MAX_MS)}`,
    );
  refuseMistakes([
    ...(ttlMs > 0 ? [] : ["deliver.ttl: is zero"]),
    ...from
      .filter((network) => parseNetwork(network) === undefined)
      .map((network) => `deliver.from: ${network} is no network`),
  ]);
}

export async function makeDelivery(call: AnyCall, delivery: Delivery, key: DeliveredKey): Promise<MadeDelivery> {
  const { ports, caller } = call;
  const { ttl, to: recipient = null, from } = delivery;
  const { text, ...what } = key;
  const createdAt = ports.clock.now();
  const expiresAt = createdAt + (ttl === undefined ? TICKET_TTL_MS : (parseDurationMs(ttl) ?? 0));
  const content = recipient === null ? text : await ports.sealTo(recipient, text);
  const networks = from && from.length > 0 ? from : null;
  const order = { ...what, recipient, networks, createdAt, createdBy: caller.issuer.actor, expiresAt, content };
  const made = makeTicket(order, ports.peppers);
  return {
    ticket: made.text,
    expiresAt,
    operation: { op: "ticket.put", ticket: made.record },
    event: eventOf(call, "ticket.issued", key.environment, {
      ticket: made.record.id,
      key: key.keyId,
      recipient,
      from: networks,
      expires_at: expiresAt,
    }),
  };
}
