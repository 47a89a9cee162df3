/** A right for a group, a person or a service in one environment. */
import { useState } from "react";
import type { ReactNode } from "react";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { Field, listOf } from "../parts/field.tsx";
import { Modal } from "../parts/modal.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { quoted } from "../parts/quoted.ts";
import { useAct } from "../parts/use-act.ts";
import { useAnswer } from "../parts/use-answer.ts";

interface NewAssignmentProps {
  readonly environments: readonly string[];
  readonly onClose: () => void;
}

export function NewAssignment({ environments, onClose }: NewAssignmentProps): ReactNode {
  const roles = useAnswer("roles", (signal) => call("roles.list", {}, signal)).value?.roles ?? [];
  const [wish, setWish] = useState({ kind: "group", subject: "", environment: "", role: "chatbot", models: "" });
  const { isBusy, problem, run } = useAct(onClose);
  const set = (name: keyof typeof wish) => (event: { target: { value: string } }) =>
    setWish((before) => ({ ...before, [name]: event.target.value }));
  const models = listOf(wish.models);
  const subject = wish.subject.trim();
  const body = {
    subject: wish.kind === "group" ? { group: subject } : { principal: subject },
    environment: wish.environment || (environments[0] ?? ""),
    roles: [wish.role],
    models: models.length === 0 ? null : models,
  };
  const given = models.map((model) => ` --model ${quoted(model)}`).join("");
  const command = `sallyport people assign ${quoted(subject || "NAME")} --env ${body.environment || "ENV"} --role ${wish.role}${given}`;
  return (
    <Modal title="New assignment" onClose={onClose}>
      <form onSubmit={(event) => (event.preventDefault(), run(() => call("assignments.create", { body })))}>
        <Field label="For">
          {(id) => (
            <select id={id} value={wish.kind} onChange={set("kind")}>
              <option value="group">a group</option>
              <option value="principal">a person or service</option>
            </select>
          )}
        </Field>
        <Field label={wish.kind === "group" ? "Group" : "Id or unique name"}>
          {(id) => (
            <input
              id={id}
              required
              maxLength={100}
              value={wish.subject}
              onChange={set("subject")}
              autoComplete="off"
              spellCheck={false}
            />
          )}
        </Field>
        <Field label="Environment">
          {(id) => (
            <select id={id} value={body.environment} onChange={set("environment")}>
              {environments.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Role">
          {(id) => (
            <select id={id} value={wish.role} onChange={set("role")}>
              {roles.map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Models" hint="names or patterns such as qwen3:*, divided by commas; empty: as the role says">
          {(id) => <input id={id} value={wish.models} onChange={set("models")} autoComplete="off" spellCheck={false} />}
        </Field>
        <ProblemNote problem={problem} />
        <p className="tools">
          <button type="submit" className="main" disabled={isBusy}>
            Assign
          </button>
        </p>
        <p className="quiet">
          {wish.kind === "group"
            ? "Rights of groups can also be written in the policy file: "
            : "The same in a terminal, for a person: "}
          <Command text={wish.kind === "group" ? "sallyport apply -f policy.yaml" : command} />
        </p>
      </form>
    </Modal>
  );
}
