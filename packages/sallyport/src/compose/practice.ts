/** The environment `practice`: exists while the demo model server runs; without it, it has no model server. */
import { SYSTEM_REALM } from "@sallyport/protocol";
import { environmentDefaults } from "../access/default-environment.ts";
import type { Environment } from "../access/policy.ts";
import type { PracticeServer } from "../practice/practice-server.ts";
import { systemClock } from "../kernel/clock.ts";
import type { Core } from "./core.ts";

export const PRACTICE_ENVIRONMENT = "practice";

/** Starts the server and points the environment at it; the returned function takes both away again. */
export async function openPractice(core: Core): Promise<() => Promise<void>> {
  const { startPractice } = await import("../practice/practice-server.ts");
  const server: PracticeServer = await startPractice();
  await point(core, [{ id: "practice", url: server.url }]);
  return async () => {
    await point(core, []);
    server.close();
  };
}

/** What an earlier run that was killed left behind: an address where something else may listen by now. */
export async function closePractice(core: Core): Promise<void> {
  const held = core.snapshot().environments.get(PRACTICE_ENVIRONMENT);
  if (held && held.upstreams.some((upstream) => upstream.id === "practice")) await point(core, []);
}

async function point(core: Core, upstreams: Environment["upstreams"]): Promise<void> {
  const environment: Environment = { ...environmentDefaults, name: PRACTICE_ENVIRONMENT, upstreams };
  core.peppers.create(PRACTICE_ENVIRONMENT);
  const fields = { name: PRACTICE_ENVIRONMENT, upstreams: upstreams.map(({ url }) => url) };
  await core.changes.inTurn(() =>
    core.changes.change({
      operations: [{ op: "environment.put", environment }],
      events: [
        {
          type: "environment.changed",
          at: systemClock.now(),
          environment: SYSTEM_REALM,
          actor: "gateway",
          fields,
        },
      ],
    }),
  );
}
