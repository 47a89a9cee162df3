/** What budgets are about, as one request meets them. */
import type { BudgetName } from "@sallyport/protocol";

export type QuotaName = BudgetName | "requests";
export type Amounts = Readonly<Partial<Record<QuotaName, number>>>;

/** One budget as it binds one request. */
export interface QuotaBound {
  readonly environment: string;
  /** Whose budget: all requests with this name draw from the same. */
  readonly account: string;
  readonly name: QuotaName;
  readonly amount: number;
  readonly windowMs: number;
  readonly zone: string;
  /** It only notifies. */
  readonly isSoft: boolean;
}
