/** What runs and waits now, in the environments that the caller administers. */
import { administers } from "../../access/attenuation.ts";
import type { Handlers } from "../call.ts";
import { isoTime } from "../views.ts";

export const activityHandlers: Handlers<"activity"> = {
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
