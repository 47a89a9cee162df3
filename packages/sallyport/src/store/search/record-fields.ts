/**
 * What a record can be searched by, in one table: the index of a segment and the match of a line both ask it, so they
 * cannot disagree on what a record says. Personal fields stand beside the record, in the same line, until they are erased.
 */
import { readKept } from "@sallyport/ledger";
import type { AuditRecord } from "../../audit/audit-log.ts";

/** The record of a kept line with what stands beside it; undefined for a damaged line, which `verify` names. */
export function readRecord(line: string): AuditRecord | undefined {
  const record = readKept(line);
  if (!record) return undefined;
  const { seq, at, environment, type, actor, fields } = record;
  return { seq, at, environment, type, actor, fields };
}

/** The values a record has of each; most have none or one. */
export const searched = {
  environment: ({ environment }) => [environment],
  type: ({ type }) => [type],
  actor: ({ actor }) => [actor],
  key: ({ actor, fields }) => [...after("key:", actor), ...texts(fields["key"])],
  principal: ({ actor, fields }) => [...after("principal:", actor), ...texts(fields["principal"])],
  code: ({ fields }) => texts(fields["code"]),
  model: ({ fields }) => texts(fields["model"]),
  address: ({ fields }) => texts(fields["address"]),
} as const satisfies Record<string, (record: AuditRecord) => readonly string[]>;

export type SearchedName = keyof typeof searched;
export const searchedNames = Object.keys(searched) as SearchedName[];

function after(prefix: string, actor: string): readonly string[] {
  return actor.startsWith(prefix) ? [actor.slice(prefix.length)] : [];
}

function texts(value: unknown): readonly string[] {
  return typeof value === "string" ? [value] : [];
}
