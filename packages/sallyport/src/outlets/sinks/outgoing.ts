/** A record as it is sent: an OCSF body, or the original audit record, as JSON on one line. */
import { canonical, ocsfBody, ocsfRows, recordUid } from "@sallyport/ledger";
import type { OcsfRow, OcsfSource } from "@sallyport/ledger";
import type { AuditRecord } from "../../audit/audit-log.ts";
import type { EventType } from "../../audit/event.ts";
import type { Outgoing } from "./sink.ts";

/** A type of the vocabulary without a row in OCSF does not compile. */
const rows: Readonly<Record<EventType, OcsfRow>> = ocsfRows;

export type SinkFormat = "ocsf" | "jsonl";

export function makeOutgoing(format: SinkFormat, source: OcsfSource): (record: AuditRecord) => Outgoing {
  return (record) => {
    const uid = recordUid(source, record);
    const body = format === "ocsf" ? ocsfBody(record, source) : { uid, node: source.node, ...record };
    return { uid, record, text: canonical(body) };
  };
}

/** 1 (informational) to 5 (critical), as OCSF counts. */
export function severityOf({ type }: AuditRecord): number {
  return Object.hasOwn(rows, type) ? rows[type as EventType].severity : 1;
}
