/**
 * Limits as people write them: `requests: 60/min`, `tokens: 200k/day`, `compute: 30m/day`. One form for environments,
 * teams, models, roles, keys and delegation scopes.
 */
import { z } from "zod";
import { budgetNames, priorities } from "@sallyport/protocol";
import type { BudgetName } from "@sallyport/protocol";
import { DURATION_FORM, formatDurationMs, parseDurationMs } from "./duration.ts";
import { RATE_FORM } from "./rate.ts";

/** A month is that of the calendar; its length here only names it. */
const WINDOWS_MS = { min: 60_000, h: 3_600_000, day: 86_400_000, week: 604_800_000, month: 2_592_000_000 } as const;
type Window = keyof typeof WINDOWS_MS;

const AMOUNT = "([1-9][0-9]{0,14})([kMG]?)";
const WINDOW = "(min|h|day|week|month)";
export const AMOUNT_FORM = /^([1-9][0-9]{0,14})([kMG]?)\/(min|h|day|week|month)$/;
export const COMPUTE_FORM = /^([1-9][0-9]{0,8}(?:ms|s|m|h|d))\/(min|h|day|week|month)$/;
const FACTORS = { "": 1, k: 1e3, M: 1e6, G: 1e9 } as const;
/** Sums of many amounts must stay exact. */
const AMOUNT_MAX = 1e15;

/** So much in each window: tokens, ms of compute time, images or bytes. */
export interface BudgetForm {
  readonly amount: number;
  readonly windowMs: number;
}

/** `200k/day`; undefined for a text that is no budget, or too large a one. */
export function parseAmount(text: string): BudgetForm | undefined {
  const parts = AMOUNT_FORM.exec(text);
  if (!parts) return undefined;
  const amount = Number(parts[1]) * FACTORS[parts[2] as keyof typeof FACTORS];
  return amount > AMOUNT_MAX ? undefined : { amount, windowMs: WINDOWS_MS[parts[3] as Window] };
}

/** `30m/day`, in ms of compute time. */
export function parseCompute(text: string): BudgetForm | undefined {
  const parts = COMPUTE_FORM.exec(text);
  const amount = parts ? parseDurationMs(parts[1]!) : undefined;
  return amount === undefined ? undefined : { amount, windowMs: WINDOWS_MS[parts![2] as Window] };
}

export function formatAmount({ amount, windowMs }: BudgetForm): string {
  const unit = (["G", "M", "k"] as const).find((one) => amount % FACTORS[one] === 0) ?? "";
  return `${amount / FACTORS[unit]}${unit}/${windowName(windowMs)}`;
}

export function formatCompute({ amount, windowMs }: BudgetForm): string {
  return `${formatDurationMs(amount)}/${windowName(windowMs)}`;
}

function windowName(windowMs: number): string {
  return Object.entries(WINDOWS_MS).find(([, ms]) => ms === windowMs)?.[0] ?? `${windowMs / 1_000}s`;
}

const amount = z
  .string()
  .refine((text) => parseAmount(text) !== undefined, "is not an amount such as 200k/day, 5M/month or 1000/h")
  .meta({ pattern: `^${AMOUNT}/${WINDOW}$` });
const compute = z
  .string()
  .refine((text) => parseCompute(text) !== undefined, "is not a compute time such as 30m/day or 2h/month")
  .meta({ pattern: COMPUTE_FORM.source });
const serviceBound = z
  .string()
  .regex(DURATION_FORM, "is not a duration such as 60s or 5m")
  .refine((text) => {
    const ms = parseDurationMs(text) ?? 0;
    return ms >= 1_000 && ms <= 24 * 3_600_000;
  }, "is not between 1s and 24h");

const budgets: Record<BudgetName, z.ZodOptional<typeof amount>> = {
  tokens: amount.optional().describe("input and output tokens together, such as 200k/day"),
  inputTokens: amount.optional().describe("input tokens, such as 1M/day"),
  outputTokens: amount.optional().describe("output tokens, such as 100k/day"),
  compute: compute.optional().describe("time of a model server's slot, such as 30m/day"),
  images: amount.optional().describe("images and recordings sent, such as 100/day"),
  bytes: amount.optional().describe("bytes of requests and responses, such as 1G/day"),
};

export const limits = z.strictObject({
  requests: z
    .string()
    .regex(RATE_FORM, "is not a rate such as 60/min, 5/s or 1000/h")
    .optional()
    .describe("requests in a window, such as 60/min, 5/s or 1000/day"),
  ...budgets,
  concurrency: z.int().min(1).max(100_000).optional().describe("requests at the same time"),
  soft: z
    .array(z.enum(budgetNames))
    .max(8)
    .optional()
    .describe("budgets that only notify when they are used up; all others deny requests and end streams"),
  weight: z.number().min(0.01).max(1_000).optional().describe("share of a busy model server beside others; 1"),
  maxService: serviceBound.optional().describe("longest time one request may use a slot, such as 60s"),
  priority: z
    .enum(["interactive", "batch"])
    .optional()
    .describe("batch requests get the turns that interactive ones leave; interactive"),
});

export type WrittenLimits = z.output<typeof limits>;

/** As views return it: the same texts. */
export const limitsView = z.object({
  requests: z.string().optional(),
  tokens: z.string().optional(),
  inputTokens: z.string().optional(),
  outputTokens: z.string().optional(),
  compute: z.string().optional(),
  images: z.string().optional(),
  bytes: z.string().optional(),
  concurrency: z.number().optional(),
  soft: z.array(z.enum(budgetNames)).optional(),
  weight: z.number().optional(),
  maxService: z.string().optional(),
  priority: z.enum(priorities).optional(),
});
