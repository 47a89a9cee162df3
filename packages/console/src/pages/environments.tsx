/** Environments: the conditions of their requests, the lives of their keys, and their model servers. */
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { placeText } from "../address.ts";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { DataTable } from "../parts/data-table.tsx";
import { Facts } from "../parts/facts.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { amounts, namesText } from "../words.ts";

type Environment = Answer<"environments.list">["environments"][number];

export function EnvironmentsPage(): ReactNode {
  const { value, problem } = useAnswer("environments of policy", (signal) => call("environments.list", {}, signal));
  return (
    <>
      <ProblemNote problem={problem} />
      {value?.environments.length === 0 && (
        <p>
          No environment yet. <Command text="sallyport apply -f policy.yaml" />
        </p>
      )}
      {value?.environments.map((one) => (
        <OneEnvironment key={one.name} of={one} />
      ))}
    </>
  );
}

function OneEnvironment({ of }: { readonly of: Environment }): ReactNode {
  return (
    <section aria-label={of.name}>
      <h2>{of.name}</h2>
      <p>
        <a href={placeText("keys", { environment: of.name })}>Keys of {of.name}</a>
      </p>
      <Facts
        of={[
          ["Networks", of.networks === null ? "any" : namesText(of.networks)],
          ["Conditions", namesText(of.require, "none beside the credential")],
          ["More conditions", namesText(of.requireFor.map(({ do: what, need }) => `${what.join(", ")}: ${need.join(", ")}`))],
          ["Keys live", `at most ${of.keyMaxAge}`],
          ["Tokens live", `${of.tokens.ttl}${of.tokens.only ? "; keys can only be exchanged for tokens" : ""}`],
          ["When an owner leaves", `${of.keyFate.onLeave} the keys`],
          ["Limits of each user", amounts(of.limits)],
          ["Limits of all together", of.quotas ? amounts(of.quotas.total) : "none"],
          ["Guards", amounts(of.guard)],
          ["Queue", `${of.queue.length} requests for ${of.queue.wait}`],
          ["Cloud models", of.cloud],
          ["Registries", namesText(of.registries)],
          ["URL tokens", of.pathSecrets],
          ["If the audit log is full", of.inferenceRecording === "fail_closed" ? "requests are denied" : "inference goes on, as a recorded gap"],
        ]} // prettier-ignore
      />
      <DataTable
        caption={`Model servers of ${of.name}`}
        rows={of.upstreams}
        keyOf={({ id }) => id}
        empty={<p>No model server: requests are denied.</p>}
        columns={[
          { name: "Server", show: ({ id }) => id },
          { name: "Address", show: ({ url }) => <code>{url}</code> },
          { name: "Kind", show: ({ kind }) => kind ?? "ollama" },
          { name: "At a time", show: ({ concurrency }) => concurrency ?? "as many as it takes", isNumber: true },
          { name: "Shared", show: ({ isShared }) => (isShared ? "with another environment" : "no") },
        ]}
      />
    </section>
  );
}
