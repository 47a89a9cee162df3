/** Leaked keys: reported by administrators, and what became of reports. Signed senders have separate paths (docs/guides/leaks.md). */
import { z } from "zod";
import type { ContractRow } from "./row.ts";
import { keyId, nothing, queryNumber, time } from "./scalars.ts";

export const leakView = z.object({
  /** Number of the record in the audit log. */
  receipt: z.number(),
  at: time,
  /** `system` for reports that proved nothing. */
  environment: z.string(),
  /** `leak.reported`, `leak.unproven`, `leak.rejected` or `leak.in_traffic`. */
  type: z.string(),
  keyIds: z.array(z.string()),
  /** `github`, a sender of the settings, or an administrator as recorded. */
  by: z.string(),
  /** Where the key was found; null = not said. */
  url: z.string().nullable(),
  source: z.string().nullable(),
  /** What was done about the key: `none`, `revoke`, or an action of the policy. */
  action: z.string(),
  incidentId: z.string().nullable(),
});
export type LeakView = z.output<typeof leakView>;

export const leakRows = {
  "leaks.report": {
    method: "POST",
    path: "/v1/leaks",
    params: nothing,
    query: nothing,
    body: z.strictObject({
      /** Id of the key, or `key`: one of them. */
      keyId: keyId.optional(),
      /** The whole key, as it was found. It is verified, and neither stored nor logged. */
      key: z.string().min(1).max(4_096).optional(),
      /** Where it was found. */
      url: z.string().min(1).max(2_048).optional(),
    }),
    answer: z.object({
      /** Number of its record in the audit log; null where nothing is stored. */
      receipt: z.number().nullable(),
      /** `working`: the key was stopped as policy says. `over`: the secret opens nothing any more. `unproven`, `no_key`: nothing was done. */
      verdict: z.enum(["working", "over", "unproven", "no_key"]),
      keyId: z.string().nullable(),
      environment: z.string().nullable(),
      action: z.string(),
      incidentId: z.string().nullable(),
    }),
    status: 201,
    permission: "keys:manage",
    caller: "any",
    events: ["leak.reported", "leak.unproven", "incident.opened", "key.suspended", "admin_key.revoked"],
    says: "reports a key as leaked: it is stopped as policy says, and an incident is opened",
    example: { body: { keyId: "0123456789ab", url: "https://example.org/paste/1" } },
  },
  "leaks.list": {
    method: "GET",
    path: "/v1/leaks",
    params: nothing,
    query: z.strictObject({
      /** Epoch ms. */
      since: queryNumber(0, 8_640_000_000_000_000).optional(),
      limit: queryNumber(1, 1_000).optional(),
    }),
    body: null,
    answer: z.object({ leaks: z.array(leakView) }),
    status: 200,
    permission: "audit:read",
    caller: "any",
    events: [],
    says: "lists leak reports and keys found in traffic, newest first, with what was done",
  },
} as const satisfies Record<string, ContractRow>;
