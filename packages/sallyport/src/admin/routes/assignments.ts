/** Assignments made by administrators. Those of the policy file are changed in the file. */
import { Problem } from "@sallyport/protocol";
import { noEnvironmentText } from "../known-environment.ts";
import { administers } from "../../access/attenuation.ts";
import type { Assignment } from "../../access/policy.ts";
import { resolvePrincipal } from "../../access/principal-name.ts";
import { readRight } from "../../access/written-right.ts";
import { randomBase62 } from "../../kernel/ids.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { demandEnvironment, refuseMistakes } from "../call.ts";
import { demandKnownEnvironment, knownPrincipal } from "../known-filter.ts";
import type { Handlers } from "../call.ts";
import { pageById } from "../page-by-id.ts";
import { viewAssignment } from "../views.ts";
import { assignmentCreated, assignmentRemoved, byAdmin } from "./recorded.ts";

export const assignmentHandlers: Handlers<"assignments.list" | "assignments.create" | "assignments.remove"> = {
  "assignments.list": async (call) => {
    const { environment, group } = call.query;
    if (environment !== undefined) demandKnownEnvironment(call, environment);
    const principal = call.query.principal === undefined ? undefined : knownPrincipal(call, call.query.principal);
    const isAsked = ({ environment: where, subject }: Assignment): boolean =>
      administers(call.caller.issuer.right, where) &&
      (environment === undefined || where === environment) &&
      (principal === undefined || ("principal" in subject && subject.principal === principal)) &&
      (group === undefined || ("group" in subject && subject.group === group));
    const { page, next } = await pageById(call.ports.snapshot().assignments, call.query, isAsked, new LongWork());
    return { assignments: page.map(viewAssignment), next };
  },

  "assignments.create": (call) => {
    const { ports, body } = call;
    demandEnvironment(call, body.environment);
    return ports.changes.inTurn(async () => {
      const { environments, principals, roles } = ports.snapshot();
      const { right, mistakes } = readRight(body, roles);
      const subject = "group" in body.subject ? body.subject : resolvePrincipal(body.subject.principal, principals);
      refuseMistakes([
        ...(environments.has(body.environment) ? [] : [`environment: ${noEnvironmentText(call, body.environment)}`]),
        ...(typeof subject === "string" ? [`subject: ${subject}`] : []),
        ...mistakes,
      ]);
      if (typeof subject === "string") throw new Problem("input_invalid", subject);
      const assignment: Assignment = {
        id: `a_${randomBase62(12)}`,
        subject: "group" in subject ? subject : { principal: subject.id },
        environment: body.environment,
        right,
        source: "admin",
      };
      await ports.changes.change({
        operations: [{ op: "assignment.put", assignment }],
        events: [assignmentCreated(call, assignment)],
      });
      return viewAssignment(assignment);
    });
  },

  "assignments.remove": (call) =>
    call.ports.changes.inTurn(async () => {
      const { id } = call.params;
      const assignment = call.ports.snapshot().assignments.get(id);
      if (!assignment) throw new Problem("not_found", `there is no assignment ${id}`);
      demandEnvironment(call, assignment.environment);
      if (assignment.source === "policy") {
        throw new Problem(
          "conflict",
          "this assignment is written in the policy file: change it there and apply the file",
        );
      }
      const fates = await call.ports.reconciler.judgeAssignment(assignment, byAdmin(call, "assignments.remove"));
      await call.ports.changes.change({
        operations: [{ op: "assignment.remove", id }, ...fates.operations],
        events: [assignmentRemoved(call, assignment), ...fates.events],
      });
      return viewAssignment(assignment);
    }),
};
