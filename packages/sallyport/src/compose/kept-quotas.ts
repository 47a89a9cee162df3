/**
 * The file of what was used of budgets: JSON Lines, replaced as a whole every few seconds. It is made in pieces, because
 * ten thousand users have thirty thousand budgets, and nothing may keep the thread for long.
 */
import { existsSync } from "node:fs";
import { readBounded } from "@sallyport/ledger/node";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import type { OpenUse, QuotaUse } from "../limits/quota-book.ts";
import { replaceDurably } from "../store/disk/durable-file.ts";

export interface KeptQuotas {
  /** Epoch ms. */
  readonly at: number;
  readonly uses: readonly QuotaUse[];
  /** Requests that ran. */
  readonly open: readonly OpenUse[];
  /** Requests that had settled shortly before: their records may be younger than the file. */
  readonly settled: readonly string[];
}

const VERSION = 1;
const FILE_BYTES_MAX = 256 * 1024 * 1024;
/** Of one line: a millisecond or less. */
const ROWS = 512;

export async function keepQuotas(path: string, kept: KeptQuotas): Promise<void> {
  await replaceDurably(path, linesOf(kept));
}

async function* linesOf({ at, uses, open, settled }: KeptQuotas): AsyncGenerator<Buffer> {
  yield line({ version: VERSION, at });
  for (let i = 0; i < uses.length; i += ROWS) yield line({ uses: uses.slice(i, i + ROWS) });
  for (let i = 0; i < open.length; i += ROWS) yield line({ open: open.slice(i, i + ROWS) });
  for (let i = 0; i < settled.length; i += ROWS) yield line({ settled: settled.slice(i, i + ROWS) });
  yield line({ isWhole: true });
}

function line(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

/** Undefined without a file, or with one that cannot be read: then the audit log is read further back. */
export function readKeptQuotas(path: string, log: Log): KeptQuotas | undefined {
  if (!existsSync(path)) return undefined;
  let cause: unknown = "its file is damaged";
  try {
    const kept = parse(readBounded(path, FILE_BYTES_MAX)?.toString("utf8") ?? "");
    if (kept) return kept;
  } catch (error) {
    cause = causeOf(error);
  }
  log.warn({ cause }, "what was used of budgets is read from the audit log");
  return undefined;
}

function parse(text: string): KeptQuotas | undefined {
  const rows = text
    .split("\n")
    .filter((one) => one !== "")
    .map((one) => JSON.parse(one) as Record<string, unknown>);
  const [head, last] = [rows[0], rows.at(-1)];
  if (head?.["version"] !== VERSION || !isAmount(head["at"]) || last?.["isWhole"] !== true) return undefined;
  const all = (name: string): unknown[] =>
    rows.flatMap((row) => (Array.isArray(row[name]) ? (row[name] as unknown[]) : []));
  const [uses, open, settled] = [all("uses"), all("open"), all("settled")];
  if (!uses.every(isUse) || !open.every(isOpenUse) || !settled.every((id) => typeof id === "string")) return undefined;
  return { at: head["at"], uses, open, settled };
}

function isOpenUse(value: unknown): value is OpenUse {
  if (typeof value !== "object" || value === null) return false;
  const { request, uses } = value as Record<string, unknown>;
  return typeof request === "string" && Array.isArray(uses) && uses.every(isUse);
}

function isUse(value: unknown): value is QuotaUse {
  if (typeof value !== "object" || value === null) return false;
  const { environment, account, budget, windowMs, startMs, endMs, used } = value as Record<string, unknown>;
  return (
    [environment, account, budget].every((one) => typeof one === "string") &&
    [windowMs, startMs, endMs, used].every(isAmount)
  );
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}
