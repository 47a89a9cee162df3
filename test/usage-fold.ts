/**
 * A second fold of audit records into usage, written for tests alone: slow, plain, and without anything of the program's.
 * Both forms are sorted, so that they can be compared.
 */
export interface Counted {
  readonly day: number;
  readonly environment: string;
  readonly key: string;
  readonly principal: string;
  readonly team: string;
  readonly model: string;
  readonly code: string;
  requests: number;
  denied: number;
  inputTokens: number;
  outputTokens: number;
  estimated: number;
  computeMs: number;
  queueMs: number;
  bytesIn: number;
  bytesOut: number;
  firstAt: number;
  lastAt: number;
}

interface FoldedRecord {
  readonly type: string;
  readonly at: number;
  readonly environment: string;
  readonly actor: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const DAY_MS = 86_400_000;
const OUTCOMES = ["request.outcome", "model.outcome"];
const DENIALS = ["request.refused", "request.refused_coalesced"];

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const count = (value: unknown): number => (typeof value === "number" ? value : 0);

/** For logs in which no key uses so many models that they share a row. */
export function foldOf(records: readonly FoldedRecord[]): Counted[] {
  const rows = new Map<string, Counted>();
  const served = new Set<string>();
  for (const { type, at, environment, actor, fields } of records) {
    const isDenial = DENIALS.includes(type);
    if (!isDenial && !OUTCOMES.includes(type)) continue;
    const day = Math.floor(at / DAY_MS);
    const key = actor.startsWith("key:") ? actor.slice(4) : "";
    const model = text(fields["model"]);
    const used = `${day} ${environment} ${key} ${model}`;
    if (!isDenial && fields["outcome"] !== "upstream_error") served.add(used);
    const subject = {
      day,
      environment,
      key,
      principal: text(fields["principal"]),
      team: text(fields["team"]),
      model: model === "" || served.has(used) ? model : "other",
      code: isDenial ? text(fields["code"]) : "",
    };
    const name = JSON.stringify(subject);
    const row = rows.get(name) ?? { ...subject, ...ZERO, firstAt: at, lastAt: at };
    rows.set(name, row);
    row.firstAt = Math.min(row.firstAt, at);
    row.lastAt = Math.max(row.lastAt, at);
    if (isDenial) {
      row.denied += type === "request.refused" ? 1 : count(fields["count"]);
      continue;
    }
    row.requests++;
    row.inputTokens += count(fields["input_tokens"]);
    row.outputTokens += count(fields["output_tokens"]);
    row.estimated += fields["is_estimated"] === true ? 1 : 0;
    row.computeMs += count(fields["compute_ms"]);
    row.queueMs += count(fields["queue_ms"]);
    row.bytesIn += count(fields["bytes_in"]);
    row.bytesOut += count(fields["bytes"]);
  }
  return sorted([...rows.values()]);
}

const ZERO = { requests: 0, denied: 0, inputTokens: 0, outputTokens: 0, estimated: 0, computeMs: 0, queueMs: 0, bytesIn: 0, bytesOut: 0 }; // prettier-ignore

/** Rows of the table `usage`. */
export function usageOf(rows: readonly Readonly<Record<string, unknown>>[]): Counted[] {
  return sorted(
    rows.map((row) => ({
      day: Number(row["day"]),
      environment: String(row["environment"]),
      key: String(row["key"]),
      principal: String(row["principal"]),
      team: String(row["team"]),
      model: String(row["model"]),
      code: String(row["code"]),
      requests: Number(row["requests"]),
      denied: Number(row["denied"]),
      inputTokens: Number(row["input_tokens"]),
      outputTokens: Number(row["output_tokens"]),
      estimated: Number(row["estimated"]),
      computeMs: Number(row["compute_ms"]),
      queueMs: Number(row["queue_ms"]),
      bytesIn: Number(row["bytes_in"]),
      bytesOut: Number(row["bytes_out"]),
      firstAt: Number(row["first_at"]),
      lastAt: Number(row["last_at"]),
    })),
  );
}

function sorted(rows: Counted[]): Counted[] {
  const nameOf = ({ day, environment, key, principal, team, model, code }: Counted): string =>
    JSON.stringify([day, environment, key, principal, team, model, code]);
  return rows.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}
