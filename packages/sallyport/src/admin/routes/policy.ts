/** Environments, roles and the policy file. Administrators of some environments see only those. */
import { didYouMean, Problem } from "@sallyport/protocol";
import { parseDurationMs } from "@sallyport/contract";
import type { Body } from "@sallyport/contract";
import { administers } from "../../access/attenuation.ts";
import { isBuiltInRole } from "../../access/built-in-roles.ts";
import type { ExplainQuestion } from "../../access/explain.ts";
import type { Assignment, Environment } from "../../access/policy.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { writePolicyText } from "../../access/written-policy-text.ts";
import { applyPolicyText } from "../apply-policy.ts";
import { unknownPermissions } from "../../access/written-right.ts";
import { addressField, refuseMistakes } from "../call.ts";
import { demandKnownEnvironment } from "../known-filter.ts";
import type { AnyCall, Handlers } from "../call.ts";
import { viewAssignment, viewEnvironment, viewRole } from "../views.ts";
import { findKey } from "../find-key.ts";

function environmentsOf(call: AnyCall): Environment[] {
  return [...call.ports.snapshot().environments.values()].filter((environment) =>
    administers(call.caller.issuer.right, environment.name),
  );
}

export const policyHandlers: Handlers<
  | "roles.list"
  | "roles.show"
  | "environments.list"
  | "environments.show"
  | "policy.show"
  | "policy.text"
  | "policy.plan"
  | "policy.apply"
  | "explain"
  | "explainToken"
> = {
  "roles.list": ({ ports }) => ({ roles: [...ports.snapshot().roles.values()].map(viewRole) }),

  "roles.show": ({ ports, params }) => {
    const { roles } = ports.snapshot();
    const role = roles.get(params.name);
    if (!role)
      throw new Problem("not_found", `there is no role ${params.name}${didYouMean(params.name, roles.keys())}`);
    return viewRole(role);
  },

  "environments.list": (call) => ({ environments: environmentsOf(call).map(viewEnvironment) }),
  "environments.show": (call) => viewEnvironment(demandKnownEnvironment(call, call.params.name)),

  "policy.show": async (call) => {
    const { epoch, roles, assignments } = call.ports.snapshot();
    const { right } = call.caller.issuer;
    const work = new LongWork();
    const isAsked = ({ source, environment }: Assignment): boolean =>
      source === "policy" && administers(right, environment);
    return {
      epoch,
      environments: environmentsOf(call).map(viewEnvironment),
      roles: await work.flatMap(roles.values(), (role) => (isBuiltInRole(role.name) ? [] : [viewRole(role)])),
      assignments: await work.flatMap(assignments, (one) => (isAsked(one) ? [viewAssignment(one)] : [])),
    };
  },

  "policy.text": async (call) => {
    const snapshot = call.ports.snapshot();
    const { right } = call.caller.issuer;
    const text = await writePolicyText(snapshot, (name) => administers(right, name), new LongWork());
    const isPart = environmentsOf(call).length < snapshot.environments.size;
    return { epoch: snapshot.epoch, text, isPart };
  },

  "policy.plan": ({ ports, caller, body }) => applyPolicyText(ports, body.text, caller.issuer, { dryRun: true }),

  "policy.apply": ({ ports, caller, body: { text, expectEpoch } }) =>
    applyPolicyText(ports, text, caller.issuer, {
      ...addressField(caller),
      dryRun: false,
      ...(expectEpoch === undefined ? {} : { expectEpoch }),
    }),

  explainToken: (call) => {
    const { keyId, allow, ttl, isBound, isIdentified } = call.body;
    findKey(call, keyId);
    refuseMistakes(unknownPermissions(allow ?? [], "allow"));
    const askedMs = ttl === undefined ? null : (parseDurationMs(ttl) ?? null);
    const said = call.ports.explainToken({ keyId, permissions: allow ?? null, askedMs, isBound, isIdentified });
    if (!said) throw new Problem("not_found", `there is no key ${keyId}`);
    return { seconds: said.seconds, because: [...said.because] };
  },

  explain: (call) => {
    findKey(call, call.body.keyId);
    const explanation = call.ports.explain(withoutUndefined(call.body));
    if (!explanation) throw new Problem("not_found", `there is no key ${call.body.keyId}`);
    return { ...explanation, because: [...explanation.because], remedy: [...explanation.remedy] };
  },
};

/** An omitted field and an undefined one are the same to the caller. */
function withoutUndefined(body: Body<"explain">): ExplainQuestion {
  return Object.fromEntries(
    Object.entries(body).filter(([, value]) => value !== undefined),
  ) as unknown as ExplainQuestion;
}
