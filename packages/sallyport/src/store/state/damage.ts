/**
 * Damaged rows of the store: each is reported once to the log and once a day to the ledger, however often it is met and
 * the program started, and kept for status queries.
 */
import { isEnvironmentName, SYSTEM_REALM } from "@sallyport/protocol";
import type { AuditLog } from "../../audit/audit-log.ts";
import type { LedgerEvent } from "../../audit/event.ts";
import type { Clock } from "../../kernel/clock.ts";

export interface DamagedRow {
  readonly table: string;
  /** `environment/id`. */
  readonly record: string;
  readonly says: string;
}

export interface DamagePorts {
  readonly clock: Clock;
  readonly trouble: (text: string) => void;
  /** Records the event; never rejects. */
  readonly record: (event: LedgerEvent) => void;
}

const DAY_MS = 86_400_000;
const SEARCHED_MAX = 1_000;

/** Whether the same was recorded within a day: by a program before this one, or another command. */
export async function isDamageRecorded(audit: Pick<AuditLog, "search">, event: LedgerEvent): Promise<boolean> {
  const { type, environment, at, fields } = event;
  const since = at - DAY_MS;
  const held = await audit.search({ type, environment, since, limit: SEARCHED_MAX, order: "newest" });
  return held.some((one) => one.fields["table"] === fields["table"] && one.fields["record"] === fields["record"]);
}

/** Beyond that many, no one reads them one by one. */
const ROWS_MAX = 4_096;

export class Damage {
  readonly #ports: DamagePorts;
  readonly #rows = new Map<string, DamagedRow>();

  constructor(ports: DamagePorts) {
    this.#ports = ports;
  }

  met(row: DamagedRow): void {
    const name = `${row.table} ${row.record}`;
    if (this.#rows.has(name) || this.#rows.size >= ROWS_MAX) return;
    this.#rows.set(name, row);
    const { clock, trouble, record } = this.#ports;
    trouble(row.says);
    const environment = environmentOf(row);
    const fields = { table: row.table, record: row.record, says: row.says };
    record({ type: "record.damaged", at: clock.now(), environment, actor: "gateway", fields });
  }

  /** What was met since the start. */
  rows(): readonly (DamagedRow & { readonly environment: string })[] {
    return [...this.#rows.values()].map((row) => ({ ...row, environment: environmentOf(row) }));
  }
}

/** A name that cannot be an environment's is itself the damage. */
function environmentOf({ record }: DamagedRow): string {
  const name = record.split("/", 1)[0] ?? "";
  return record.includes("/") && isEnvironmentName(name) ? name : SYSTEM_REALM;
}
