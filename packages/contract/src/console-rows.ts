/** The console: a link that opens it once. What a browser then asks is the rest of this contract. */
import { z } from "zod";
import type { ContractRow } from "./row.ts";
import { nothing, time } from "./scalars.ts";

/** What a browser sends to begin a session: the secret of the link. */
export const openingSession = z.strictObject({ link: z.string().min(1).max(100) });

export const consoleRows = {
  openConsole: {
    method: "POST",
    path: "/v1/console/links",
    params: nothing,
    query: nothing,
    body: null,
    answer: z.object({ url: z.string(), expiresAt: time }),
    status: 201,
    permission: "status:read",
    caller: "any",
    events: ["console.link_made"],
    says: "makes a link that opens the console once, with the rights of the caller",
    example: {},
  },
} as const satisfies Record<string, ContractRow>;
