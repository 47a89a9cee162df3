/** The columns of a usage report, for CSV, Markdown and tables alike. */
import type { UsageView } from "@sallyport/contract";

export const usageBy = ["key", "principal", "team", "model", "environment", "day"] as const;
export type UsageBy = (typeof usageBy)[number];

export type ReportRow = Pick<UsageView, SubjectMember | CountMember | "codes"> &
  Partial<Pick<UsageView, "firstAt" | "lastAt">> & {
    /** In the currency of the price list. */
    readonly cost?: number;
  };

export type SubjectMember =
  | "day"
  | "environment"
  | "key"
  | "keyName"
  | "principal"
  | "principalName"
  | "team"
  | "model";

export const countMembers = [
  "requests",
  "denied",
  "inputTokens",
  "outputTokens",
  "estimated",
  "computeMs",
  "queueMs",
  "bytesIn",
  "bytesOut",
] as const;
export type CountMember = (typeof countMembers)[number];

export const subjectMembers: Readonly<Record<UsageBy, readonly SubjectMember[]>> = {
  key: ["environment", "key", "keyName", "principal", "principalName", "team"],
  principal: ["principal", "principalName"],
  team: ["team"],
  model: ["model"],
  environment: ["environment"],
  day: ["day"],
};

/** What a row costs. `model`: its key, or null for requests without one. */
export type CostOf = (
  counts: Pick<Record<CountMember, number>, "inputTokens" | "outputTokens" | "computeMs">,
  model: string | null,
) => number;

/** Rows of one subject become one, each with its cost; `members` are the subject. */
export function mergeRows(
  rows: readonly UsageView[],
  members: readonly SubjectMember[],
  costOf: CostOf | null,
): readonly ReportRow[] {
  const merged = new Map<string, ReportRow>();
  for (const row of rows) {
    const { model, ...others } = row;
    const subject: ReportRow = members.includes("model") ? row : others;
    const name = JSON.stringify(members.map((member) => subject[member] ?? null));
    const before = merged.get(name);
    const cost = costOf?.(row, model ?? null);
    const added = before ? addRows(before, subject) : subject;
    merged.set(name, cost === undefined ? added : { ...added, cost: (before?.cost ?? 0) + cost });
  }
  return [...merged.values()];
}

export function addRows(a: ReportRow, b: ReportRow): ReportRow {
  const counts = Object.fromEntries(countMembers.map((member) => [member, a[member] + b[member]]));
  const codes = { ...a.codes };
  for (const [code, count] of Object.entries(b.codes)) codes[code] = (codes[code] ?? 0) + count;
  const first = [a.firstAt, b.firstAt].filter((time) => time !== undefined).toSorted()[0];
  const last = [a.lastAt, b.lastAt]
    .filter((time) => time !== undefined)
    .toSorted()
    .at(-1);
  return {
    ...a,
    ...counts,
    codes,
    ...(first === undefined ? {} : { firstAt: first }),
    ...(last === undefined ? {} : { lastAt: last }),
  };
}

/** The sum of all rows, without a subject. */
export function totalOf(rows: readonly ReportRow[]): ReportRow {
  const zero = Object.fromEntries(countMembers.map((member) => [member, 0])) as Record<CountMember, number>;
  const cost = rows.reduce<number | undefined>(
    (sum, row) => (row.cost === undefined ? sum : (sum ?? 0) + row.cost),
    undefined,
  );
  const total = rows.reduce<ReportRow>((sum, row) => ({ ...zero, ...pickCounts(addRows(sum, row)) }), {
    ...zero,
    codes: {},
  });
  return { ...total, ...(cost === undefined ? {} : { cost }) };
}

function pickCounts(row: ReportRow): Pick<ReportRow, CountMember | "codes"> {
  const counts = Object.fromEntries(countMembers.map((member) => [member, row[member]])) as Record<CountMember, number>;
  return { ...counts, codes: row.codes };
}
