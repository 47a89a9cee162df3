/** A restored gateway's quarantine: what was restored, what was revoked since, and its end. It can be ended on the gateway host only. */
import { z } from "zod";
import type { ContractRow } from "./row.ts";
import { nothing } from "./scalars.ts";

const id = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/, "is not an id");

export const restoreRows = {
  "restore.show": {
    method: "GET",
    path: "/v1/restore",
    params: nothing,
    query: nothing,
    body: null,
    answer: z.object({
      isUnconfirmed: z.boolean(),
      backupAt: z.string().nullable(),
      restoredAt: z.string().nullable(),
      /** The last record of the backup, and its hash. */
      seq: z.number().nullable(),
      hash: z.string().nullable(),
    }),
    status: 200,
    permission: "status:read",
    caller: "any",
    events: [],
    says: "says whether a restored backup waits to be confirmed, and of when it is",
  },
  "restore.replay": {
    method: "POST",
    path: "/v1/restore/revocations",
    params: nothing,
    query: nothing,
    body: z.strictObject({
      records: z
        .array(
          z.strictObject({
            type: z.enum([
              "key.revoked",
              "key.suspended",
              "principal.disabled",
              "admin_key.revoked",
              "person.local_removed",
            ]),
            environment: z.string().max(16),
            /** Of the key, or of the principal. */
            id,
          }),
        )
        .max(1_000),
    }),
    answer: z.object({
      revoked: z.number(),
      suspended: z.number(),
      disabled: z.number(),
      /** The backup does not know them: they were made later. */
      unknown: z.number(),
    }),
    status: 200,
    permission: "admin:manage",
    caller: "socket",
    events: ["key.revoked", "key.suspended", "principal.disabled", "admin_key.revoked", "person.local_removed"],
    says: "revokes, suspends and disables what was so after the backup was made",
    example: { body: { records: [{ type: "key.revoked", environment: "dev", id: "0123456789ab" }] } },
  },
  "restore.confirm": {
    method: "POST",
    path: "/v1/restore/confirm",
    params: nothing,
    query: nothing,
    body: z.strictObject({
      /** The number of records that were replayed, and whether they were all there were. */
      replayed: z.int().min(0),
      isWhole: z.boolean(),
    }),
    answer: z.object({
      /** False where nothing waited to be confirmed. */
      wasUnconfirmed: z.boolean(),
    }),
    status: 200,
    permission: "admin:manage",
    caller: "socket",
    events: ["gateway.restore_confirmed"],
    says: "ends the quarantine of a restored gateway: requests are served again",
    example: { body: { replayed: 0, isWhole: false } },
  },
} as const satisfies Record<string, ContractRow>;
