/** What a reviewer can decide about a right: it stays, it goes, or it is reduced to what was used. */
export const reviewDecisions = ["keep", "revoke", "narrow"] as const;
