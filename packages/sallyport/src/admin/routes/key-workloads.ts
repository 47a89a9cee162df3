/** Workloads that may act as a key. What they can do then is what the key can: so it must be the issuer's to give (R6). */
import { Problem } from "@sallyport/protocol";
import { randomBase62 } from "../../kernel/ids.ts";
import { factorsOf } from "../../keys/key.ts";
import type { WorkloadTrust } from "../../tokens/workload-trust.ts";
import { trustMistakes, workloadTemplates } from "../../tokens/workload-trust.ts";
import { refuseMistakes } from "../call.ts";
import type { Handlers } from "../call.ts";
import { viewKey, viewWorkload } from "../views.ts";
import { demandGivable, onPresentKey, putFactors } from "./key-factors.ts";

const WORKLOADS_MAX = 16;

export const keyWorkloadHandlers: Handlers<"keys.addWorkload" | "keys.removeWorkload"> = {
  "keys.addWorkload": (call) =>
    onPresentKey(call, async (key) => {
      demandGivable(call, key);
      const { template, audience, claims, jwks = null } = call.body;
      const issuer = call.body.issuer ?? workloadTemplates[template].issuer ?? "";
      refuseMistakes([
        ...trustMistakes(template, { issuer, audience, claims, jwks }),
        ...(key.workloads.length < WORKLOADS_MAX ? [] : [`workloads: a key trusts at most ${WORKLOADS_MAX}`]),
      ]);
      const made = { createdAt: call.ports.clock.now(), createdBy: call.caller.issuer.actor };
      const trust: WorkloadTrust = { id: randomBase62(12), issuer, audience, claims, jwks, ...made };
      const next = { ...factorsOf(key), workloads: [...key.workloads, trust] };
      const said = Object.entries(claims).map(([name, value]) => `${name}=${value}`);
      await putFactors(call, key, next, "key.workload_added", { workload: trust.id, issuer, audience, claims: said });
      return { ...viewWorkload(trust), keyId: key.id };
    }),
  "keys.removeWorkload": (call) =>
    onPresentKey(call, async (key) => {
      const { workload } = call.body;
      const workloads = key.workloads.filter(({ id }) => id !== workload);
      if (workloads.length === key.workloads.length) throw new Problem("not_found", `there is no workload ${workload}`);
      const next = { ...factorsOf(key), workloads };
      await putFactors(call, key, next, "key.workload_removed", { workload });
      return viewKey({ ...key, ...next }, call.ports.clock.now());
    }),
};
