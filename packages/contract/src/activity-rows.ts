/** What the gateway does right now: who runs, who waits, what each user got lately. */
import { z } from "zod";
import type { ContractRow } from "./row.ts";
import { environmentName, nothing, time } from "./scalars.ts";

const count = z.number();

export const activityView = z.object({
  at: time,
  environments: z.array(
    z.object({
      name: z.string(),
      /** Jain's index over the users of the last minutes: 1 where all got the same. */
      jainIndex: z.number(),
      models: z.array(
        z.object({
          model: z.string(),
          running: count,
          waiting: count,
          /** Requests that run at the same time on all servers together: as policy says, else as learned. */
          slots: count,
          /** Mean time a request holds its slot; 0 until one is over. */
          meanServiceMs: count,
          /** Mean error of predicted service times, as a part of the actual ones. */
          predictionError: z.number(),
        }),
      ),
      servers: z.array(
        z.object({ id: z.string(), running: count, fitness: z.string(), loadedModels: z.array(z.string()) }),
      ),
      /** By service in the last minutes, most first. */
      users: z.array(
        z.object({
          principal: z.string(),
          name: z.string().nullable(),
          team: z.string().nullable(),
          running: count,
          waiting: count,
          requests: count,
          computeMs: count,
          meanQueueMs: count,
          /** Part of what all users got. */
          share: z.number(),
        }),
      ),
      /** The longest-running and longest-waiting ones. */
      requests: z.array(
        z.object({
          id: z.string(),
          key: z.string(),
          keyName: z.string(),
          principal: z.string().nullable(),
          endpoint: z.string(),
          model: z.string().nullable(),
          state: z.enum(["running", "waiting"]),
          server: z.string().nullable(),
          sinceMs: count,
          sentBytes: count,
        }),
      ),
      /** Budgets of which something was used in their present windows, the fullest first. */
      budgets: z.array(z.object({ account: z.string(), budget: z.string(), used: count, amount: count, endsAt: time })),
    }),
  ),
});

export const activityRows = {
  activity: {
    method: "GET",
    path: "/v1/activity",
    params: nothing,
    query: z.strictObject({ environment: environmentName.optional() }),
    body: null,
    answer: activityView,
    status: 200,
    permission: "status:read",
    caller: "any",
    events: [],
    says: "shows what runs and waits now, and what each user got in the last minutes, in the environments the caller administers",
  },
  "requests.end": {
    method: "POST",
    path: "/v1/requests/:id/end",
    params: z.strictObject({ id: z.string().regex(/^[0-9A-Za-z_-]{1,64}$/, "is no id of a request") }),
    query: nothing,
    body: null,
    /** `isEnded` false: it was over before it could be ended. */
    answer: z.object({ id: z.string(), environment: z.string(), key: z.string(), isEnded: z.boolean() }),
    status: 200,
    permission: "keys:manage",
    caller: "any",
    events: ["request.ended"],
    example: { params: { id: "req_7Kq2mZ9xTb4LwR3c" } },
    says: "ends a request that runs or waits; the answer to its client says that an administrator ended it",
  },
} as const satisfies Record<string, ContractRow>;
