/** What runs and waits now, in the environments that the caller administers. */
import { administers } from "../../access/attenuation.ts";
import type { Answer } from "@sallyport/contract";
import { Problem } from "@sallyport/protocol";
import { eventOf } from "../call.ts";
import type { Call, Handlers } from "../call.ts";
import { isoTime } from "../views.ts";

/** On record first: what cannot be recorded is not done. A request of another environment is answered like an unknown one. */
async function endRequest(call: Call<"requests.end">): Promise<Answer<"requests.end">> {
  const { ports, caller, params } = call;
  const found = ports.liveRequest(params.id);
  if (!found || !administers(caller.issuer.right, found.environment))
    throw new Problem("not_found", `no request ${params.id} runs or waits`);
  const { environment, key, keyName, owner, endpoint, model } = found;
  const fields = { request: params.id, key, name: keyName, owner, endpoint, ...(model === null ? {} : { model }) };
  const event = eventOf(call, "request.ended", environment, fields);
  await ports.changes.inTurn(() => ports.changes.change({ operations: [], events: [event] }));
  return { id: params.id, environment, key, isEnded: found.end() };
}

export const activityHandlers: Handlers<"activity" | "requests.end"> = {
  "requests.end": endRequest,
  activity: ({ ports, caller, query }) => {
    const { environments, principals } = ports.snapshot();
    const shown = [...environments.values()]
      .map(({ name }) => name)
      .filter((name) => administers(caller.issuer.right, name))
      .filter((name) => query.environment === undefined || query.environment === name);
    return {
      at: isoTime(ports.clock.now()),
      environments: shown.map((name) => {
        const { users, requests, budgets, models, servers, jainIndex } = ports.activity(name);
        return {
          name,
          jainIndex,
          models: [...models],
          servers: servers.map((server) => ({ ...server, loadedModels: [...server.loadedModels] })),
          users: users.map((user) => {
            const known = principals.get(user.principal);
            return { ...user, name: known?.name ?? null, team: known?.team ?? null };
          }),
          requests: requests.map((request) => ({
            ...request,
            keyName: ports.keys.find(name, request.key)?.name ?? request.key,
          })),
          budgets: budgets.map(({ endsAt, ...budget }) => ({ ...budget, endsAt: isoTime(endsAt) })),
        };
      }),
    };
  },
};
