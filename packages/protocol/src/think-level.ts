/** How much a model may think before it answers, least first. */
export const thinkLevels = ["none", "low", "medium", "high"] as const;
export type ThinkLevel = (typeof thinkLevels)[number];
