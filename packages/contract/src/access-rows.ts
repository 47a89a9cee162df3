/** Who may do what, row by row. */
import { z } from "zod";
import type { ContractRow } from "./row.ts";
import { environmentName, nothing, queryNumber, time } from "./scalars.ts";

export const accessView = z.object({
  /** `principal:ID`, or `key:ID` for admin keys, which have no owner. */
  subject: z.string(),
  name: z.string(),
  /** `*`: all environments, of an admin key. */
  environment: z.string(),
  permission: z.string(),
  /** A model selector; null for permissions that need none. */
  model: z.string().nullable(),
  /** The role or permission, and the assignment that gives it. */
  by: z.string(),
  /** Null where the audit log does not say it (any more). */
  grantedBy: z.string().nullable(),
  since: time.nullable(),
  /** The last admitted request for such a model, by the usage counters of 400 days; null = none. */
  lastUsed: time.nullable(),
});
export type AccessView = z.output<typeof accessView>;

export const accessRows = {
  "access.list": {
    method: "GET",
    path: "/v1/access",
    params: nothing,
    query: z.strictObject({
      environment: environmentName.optional(),
      /** `next` of the page before. */
      after: z.string().max(256).optional(),
      /** Principals and admin keys of a page. */
      limit: queryNumber(1, 500).optional(),
    }),
    body: null,
    answer: z.object({ access: z.array(accessView), next: z.string().nullable() }),
    status: 200,
    permission: "principals:read",
    caller: "any",
    events: [],
    says: "lists who may do what in the environments that the caller administers, by which grant, since when, last used",
  },
} as const satisfies Record<string, ContractRow>;
