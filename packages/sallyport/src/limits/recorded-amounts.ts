/** What the audit log says of a request's amounts: what it had reserved when it began, and what it used. */
import type { Lease } from "./lease.ts";
import type { Amounts, QuotaName } from "./quota.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Bytes are not among them: the record says of every request how many it sent. */
const reservedFields = {
  inputTokens: "reserved_input_tokens",
  outputTokens: "reserved_output_tokens",
  tokens: "reserved_tokens",
  compute: "reserved_ms",
  images: "reserved_images",
} as const satisfies Partial<Record<QuotaName, string>>;

export type ReservedFields = { [K in (typeof reservedFields)[keyof typeof reservedFields]]?: number };

/** Fields of a `request.intent`, one for each budget that binds the request. */
export function reservedFieldsOf(lease: Lease): ReservedFields {
  const fields: ReservedFields = {};
  for (const [name, field] of entries(reservedFields)) {
    const amount = lease.reserved(name);
    if (amount !== undefined) fields[field] = Math.round(amount);
  }
  return fields;
}

/** Of a `request.intent`: what is charged if nothing says how the request ended. */
export function reservedAmounts(fields: Fields): Amounts {
  const amounts: { -readonly [K in keyof Amounts]: number } = { requests: 1, bytes: amountOf(fields["bytes"]) };
  for (const [name, field] of entries(reservedFields)) amounts[name] = amountOf(fields[field]);
  return amounts;
}

/**
 * Of a `request.outcome`, which does not say how many images its request had. What no model server took costs nothing, not
 * even a request.
 */
export function usedAmounts(fields: Fields, images = 0): Amounts {
  if (fields["upstream"] === null) return {};
  const [inputTokens, outputTokens] = [amountOf(fields["input_tokens"]), amountOf(fields["output_tokens"])];
  return {
    requests: 1,
    inputTokens,
    outputTokens,
    tokens: inputTokens + outputTokens,
    compute: amountOf(fields["compute_ms"]),
    images,
    bytes: amountOf(fields["bytes_in"]) + amountOf(fields["bytes"]),
  };
}

function amountOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}

function entries<T extends object>(record: T): [keyof T, T[keyof T]][] {
  return Object.entries(record) as [keyof T, T[keyof T]][];
}
