/** Who has which right where: what policy assigns, and what administrators add to it. */
import { useState } from "react";
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { go } from "../address.ts";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { DataTable } from "../parts/data-table.tsx";
import { EnvironmentFilter } from "../parts/environment-filter.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { useEnvironments } from "../parts/use-environments.ts";
import { may } from "../session.ts";
import { namesText } from "../words.ts";
import type { PageProps } from "../page-props.ts";
import { NewAssignment } from "./new-assignment.tsx";

const PAGE = 100;
const PATH = "access/assignments";
type Assignment = Answer<"assignments.list">["assignments"][number];

export function AssignmentsPage({ place, present }: PageProps): ReactNode {
  const { environment, principal, group, after } = place.filters;
  const environments = useEnvironments();
  const { value, problem, again } = useAnswer(
    `assignments ${environment ?? ""} ${principal ?? ""} ${group ?? ""} ${after ?? ""}`,
    (signal) => call("assignments.list", { query: { environment, principal, group, after, limit: PAGE } }, signal),
  );
  const [removed, setRemoved] = useState<Assignment>();
  const [isNew, setIsNew] = useState(false);
  const [wanted, setWanted] = useState(group ?? "");
  const close = (): void => (setRemoved(undefined), setIsNew(false), again());
  return (
    <>
      <div className="tools">
        <EnvironmentFilter
          place={{ path: PATH, filters: { ...place.filters, after: "" } }}
          environments={environments}
        />
        <form
          role="search"
          onSubmit={(event) => (event.preventDefault(), go(PATH, { environment, group: wanted.trim() }))}
        >
          <label>
            Group <input value={wanted} onChange={(event) => setWanted(event.target.value)} spellCheck={false} />
          </label>
          <button type="submit">Find</button>
        </form>
        {principal && (
          <button type="button" onClick={() => go(PATH, { environment })}>
            Of all subjects, not only {principal}
          </button>
        )}
        {may(present, "assignments.create") && (
          <button type="button" onClick={() => setIsNew(true)}>
            New assignment
          </button>
        )}
      </div>
      <ProblemNote problem={problem} />
      {value && (
        <DataTable
          caption="Assignments"
          rows={value.assignments}
          keyOf={({ id }) => id}
          empty={
            <p>
              No assignment. <Command text="sallyport apply -f policy.yaml" />
            </p>
          }
          columns={[
            { name: "Subject", show: ({ subject }) => subjectText(subject) },
            { name: "Environment", show: (one) => one.environment },
            { name: "Roles", show: ({ roles }) => namesText(roles) },
            { name: "Permissions", show: ({ allow }) => namesText(allow) },
            { name: "Models", show: ({ models }) => (models === null ? "as the roles say" : namesText(models)) },
            { name: "From", show: ({ source }) => (source === "policy" ? "the policy file" : "an administrator") },
            {
              name: "Acts",
              show: (one) =>
                one.source === "admin" &&
                may(present, "assignments.remove") && (
                  <button
                    type="button"
                    className="small"
                    aria-label={`Remove: ${subjectText(one.subject)} in ${one.environment}`}
                    onClick={() => setRemoved(one)}
                  >
                    Remove
                  </button>
                ),
            },
          ]}
        />
      )}
      <div className="tools">
        {after && (
          <button type="button" onClick={() => go(PATH, { ...place.filters, after: "" })}>
            First page
          </button>
        )}
        {value?.next && (
          <button type="button" onClick={() => go(PATH, { ...place.filters, after: value.next! })}>
            Next page
          </button>
        )}
      </div>
      {isNew && <NewAssignment environments={environments} onClose={close} />}
      {removed && (
        <Confirm
          title={`Remove the assignment of ${subjectText(removed.subject)}?`}
          verb="Remove"
          isDangerous
          says="The right ends at once. Keys that make use of it are revoked, suspended or kept, as policy says (onRoleLost)."
          command={`sallyport people unassign ${removed.id}`}
          change={() => call("assignments.remove", { params: { id: removed.id } })}
          onDone={close}
          onClose={close}
        />
      )}
    </>
  );
}

function subjectText(subject: Assignment["subject"]): string {
  return "group" in subject ? `group ${subject.group}` : subject.principal;
}
