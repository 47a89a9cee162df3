/**
 * The intent is recorded before the work begins. For inference it is queued for the next group commit, and the response
 * waits for the commit (see relay); model management waits here, before acting. What cannot be queued is denied:
 * nothing runs unrecorded, unless the environment's policy allows it for inference.
 */
import { encodeEvent } from "@sallyport/ledger";
import { refuse } from "@sallyport/protocol";
import type { DataPermission, ModelName, Refusal } from "@sallyport/protocol";
import type { LedgerAppender } from "../../audit/recorder.ts";
import type { UnrecordedRequests } from "../../audit/unrecorded.ts";
import type { PermissionUses } from "../../access/permission-uses.ts";
import type { Demand } from "../../access/demand.ts";
import { reservedFieldsOf } from "../../limits/recorded-amounts.ts";
import { OF_SEVERAL_MODELS } from "../../usage/recorded-demand.ts";
import type { Exchange } from "../exchange.ts";
import type { Judge } from "../judge.ts";
import { mayGoUnrecorded } from "../may-go-unrecorded.ts";
import type { Stage } from "../pipeline.ts";

export interface IntentPorts {
  readonly ledger: LedgerAppender;
  readonly permissionUses: Pick<PermissionUses, "note">;
  readonly unrecorded: UnrecordedRequests;
}

export interface RecordPorts {
  readonly intend: (exchange: Exchange) => Refusal | undefined;
  readonly ledger: LedgerAppender;
  readonly judge: Pick<Judge, "refuseNow">;
}

/** Records the intent, once: before the work, or earlier if something is shown while it waits. */
export function makeIntend({
  ledger,
  permissionUses,
  unrecorded,
}: IntentPorts): (exchange: Exchange) => Refusal | undefined {
  return function intend(exchange) {
    if (exchange.ticket !== null || exchange.isUnrecorded) return undefined;
    const ticket = ledger.append(encodeIntent(exchange));
    if (ticket !== undefined) {
      exchange.ticket = ticket;
      if (unrecorded.hasGap) unrecorded.flush();
    } else if (!mayGoUnrecorded(exchange, unrecorded)) return refuse("ledger_unavailable");
    permissionUses.note(exchange.key!.environment, exchange.key!.id, exchange.question!.demands, exchange.at);
    return undefined;
  };
}

export function makeRecord({ intend, ledger, judge }: RecordPorts): Stage {
  return function record(exchange) {
    const refusal = intend(exchange);
    if (refusal) return refusal;
    const { ticket } = exchange;
    if (ticket === null || exchange.endpoint!.recorded !== "management") return undefined;
    return new Promise((resolve) => {
      ledger.whenDurable(ticket, (isOnDisk) => {
        // The wait took time: a caller that lost its permission meanwhile does not act.
        const why = isOnDisk ? judge.refuseNow(exchange) : refuse("ledger_unavailable");
        if (why) exchange.outcome = isOnDisk ? "cut" : "not_recorded";
        resolve(why);
      });
    });
  };
}

/** Each once, with those that were relied on without a demand. Most requests make one demand. */
function permissionsOf(demands: readonly Demand[], relied: readonly DataPermission[] = []): readonly string[] {
  if (demands.length === 1 && relied.length === 0) return [demands[0]!.permission];
  return [...new Set([...demands.map(({ permission }) => permission), ...relied])];
}

/** Each demand with its model, of requests that may be about another model than their own. */
function demandFields(
  demands: readonly Demand[],
  own: ModelName | null,
  relied: readonly DataPermission[] = [],
): { demands?: readonly string[] } {
  const isOwn = ({ permission, model }: Demand): boolean =>
    (model === null || model.key === own?.key) && !OF_SEVERAL_MODELS.has(permission);
  if (demands.every(isOwn)) return {};
  const model = demands[0]?.model ?? null;
  const all = [...demands, ...relied.map((permission) => ({ permission, model }))];
  return { demands: all.map((one) => (one.model ? `${one.permission} ${one.model.key}` : one.permission)) };
}

function encodeIntent(exchange: Exchange): string {
  const { key, endpoint, understood } = exchange;
  return encodeEvent({
    type: endpoint!.recorded === "management" ? "model.intent" : "request.intent",
    at: exchange.at,
    environment: key!.environment,
    actor: `key:${key!.id}`,
    fields: {
      request: exchange.id,
      principal: key!.owner,
      ...(exchange.token ? { token: exchange.token.id } : {}),
      endpoint: endpoint!.id,
      permissions: permissionsOf(exchange.question!.demands, exchange.serialized!.relied),
      ...demandFields(exchange.question!.demands, understood!.model, exchange.serialized!.relied),
      model: understood!.model?.key ?? null,
      // Not known yet where it is recorded while it waits; the outcome names it.
      upstream: exchange.upstream?.spec.id ?? null,
      address: exchange.address,
      client: exchange.client,
      is_stream: understood!.isStream,
      bytes: exchange.serialized!.bytes.length,
      dropped_fields: understood!.droppedFields,
      adjusted: exchange.serialized!.adjusted,
      // What it is charged if the gateway is killed before its outcome is recorded.
      ...(exchange.lease === null ? {} : reservedFieldsOf(exchange.lease)),
    },
  });
}
