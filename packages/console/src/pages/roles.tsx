/** Roles: what each allows, on which models, within which bounds. */
import type { ReactNode } from "react";
import { call } from "../calls.ts";
import { DataTable } from "../parts/data-table.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { amounts, namesText } from "../words.ts";

export function RolesPage(): ReactNode {
  const { value, problem } = useAnswer("roles", (signal) => call("roles.list", {}, signal));
  return (
    <>
      <ProblemNote problem={problem} />
      {value && (
        <DataTable
          caption="Roles"
          rows={value.roles}
          keyOf={({ name }) => name}
          empty={null}
          columns={[
            { name: "Role", show: ({ name }) => name },
            { name: "From", show: ({ isBuiltIn }) => (isBuiltIn ? "built in" : "policy") },
            {
              name: "Allows",
              show: ({ allow }) => (
                <ul className="plain">
                  {allow.map(({ do: what, on }) => (
                    <li key={what.join()}>
                      {what.join(", ")}{" "}
                      <span className="quiet">
                        on {on === null ? "the models of the key or assignment" : on.join(", ")}
                      </span>
                    </li>
                  ))}
                </ul>
              ),
            },
            { name: "Limits of each user", show: ({ limits }) => amounts(limits) },
            { name: "Guards", show: ({ guard }) => amounts(guard) },
            { name: "Networks", show: ({ networks }) => (networks === null ? "any" : namesText(networks)) },
            { name: "Conditions", show: ({ require }) => namesText(require) },
          ]}
        />
      )}
    </>
  );
}
