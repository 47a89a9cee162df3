/** Whether a record is what a search asks for. The text is looked at first: most lines are never parsed. */
import { personalFields, quoteText, readKept } from "@sallyport/protocol";
import type { AuditFilter, AuditRecord } from "../audit/audit-log.ts";

/** The record of a line that fits the filter; undefined for others and for damaged lines, which `verify` names. */
export type MatchRecord = (line: string) => AuditRecord | undefined;

export function makeMatchRecord(filter: AuditFilter): MatchRecord {
  const {
    type,
    actor,
    environment,
    principal,
    code,
    model,
    address,
    since = -Infinity,
    until = Infinity,
    after = 0,
  } = filter;
  const own = { type, actor, environment };
  const fields = { principal, code, model, address };
  const marks = Object.entries({ ...own, ...fields }).flatMap(([name, value]) =>
    value === undefined ? [] : [isPersonal(name) ? quoteText(value) : `"${name}":${quoteText(value)}`],
  );
  return function match(line) {
    if (!marks.every((mark) => line.includes(mark))) return undefined;
    const record = readKept(line);
    if (!record || record.seq <= after || record.at < since || record.at > until) return undefined;
    // The mark may have stood elsewhere in the line.
    if (
      !Object.entries(own).every(([name, value]) => value === undefined || record[name as keyof typeof own] === value)
    )
      return undefined;
    if (!Object.entries(fields).every(([name, value]) => value === undefined || record.fields[name] === value))
      return undefined;
    const { seq, at } = record;
    return { seq, at, environment: record.environment, type: record.type, actor: record.actor, fields: record.fields };
  };
}

/** Its value stands beside the record. */
function isPersonal(name: string): boolean {
  return (personalFields as readonly string[]).includes(name);
}
