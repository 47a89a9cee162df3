/** The words in which limits are written, in policy files and on keys. */

/** What a budget can bound in a window. Compute is time of a model server's slot. */
export const budgetNames = ["tokens", "inputTokens", "outputTokens", "compute", "images", "bytes"] as const;
export type BudgetName = (typeof budgetNames)[number];

/** Batch requests get the turns that interactive ones leave. */
export const priorities = ["interactive", "batch"] as const;
export type Priority = (typeof priorities)[number];
