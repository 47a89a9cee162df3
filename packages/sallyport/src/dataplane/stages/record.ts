/**
 * The intent goes to the ledger before the work begins. For inference it is queued for the next group commit, and the
 * answer waits for the commit (see relay); what manages models waits here, before acting. What cannot be queued is
 * refused: nothing runs unrecorded, unless the environment's policy says so of inference.
 */
import { encodeEvent, refuse } from "@sallyport/protocol";
import type { LedgerAppender } from "../../audit/recorder.ts";
import type { UnrecordedRequests } from "../../audit/unrecorded.ts";
import type { PermissionUses } from "../../access/permission-uses.ts";
import type { Snapshot } from "../../access/snapshot.ts";
import type { Demand } from "../../access/demand.ts";
import type { KeyDirectory } from "../../keys/directory.ts";
import type { Exchange } from "../exchange.ts";
import { presentRefusal } from "../live-exchanges.ts";
import { mayGoUnrecorded } from "../may-go-unrecorded.ts";
import type { Stage } from "../pipeline.ts";

export interface RecordPorts {
  readonly ledger: LedgerAppender;
  readonly snapshot: () => Snapshot;
  readonly keys: KeyDirectory;
  readonly permissionUses: Pick<PermissionUses, "note">;
  readonly unrecorded: UnrecordedRequests;
}

export function makeRecord({ ledger, snapshot, keys, permissionUses, unrecorded }: RecordPorts): Stage {
  return function record(exchange) {
    const ticket = ledger.append(encodeIntent(exchange));
    if (ticket !== undefined) {
      exchange.ticket = ticket;
      if (unrecorded.hasGap) unrecorded.flush();
    } else if (!mayGoUnrecorded(exchange, unrecorded)) return refuse("ledger_unavailable");
    permissionUses.note(exchange.key!.environment, exchange.key!.id, exchange.question!.demands, exchange.at);
    if (ticket === undefined || exchange.endpoint!.recorded !== "management") return undefined;
    return new Promise((resolve) => {
      ledger.whenDurable(ticket, (isOnDisk) => {
        // The wait took time: whoever lost his right meanwhile does not act.
        const refusal = isOnDisk ? presentRefusal(exchange, snapshot(), keys) : refuse("ledger_unavailable");
        if (refusal) exchange.outcome = isOnDisk ? "cut" : "not_recorded";
        resolve(refusal);
      });
    });
  };
}

/** Each once. Most requests make one demand. */
function permissionsOf(demands: readonly Demand[]): readonly string[] {
  if (demands.length === 1) return [demands[0]!.permission];
  return [...new Set(demands.map(({ permission }) => permission))];
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
      permissions: permissionsOf(exchange.question!.demands),
      model: understood!.model?.key ?? null,
      upstream: exchange.upstream!.spec.id,
      address: exchange.address,
      client: exchange.client,
      is_stream: understood!.isStream,
      bytes: exchange.serialized!.bytes.length,
      dropped_fields: understood!.droppedFields,
      adjusted: exchange.serialized!.adjusted,
    },
  });
}
