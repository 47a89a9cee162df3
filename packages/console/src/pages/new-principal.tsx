/** A new person or service. */
import { useState } from "react";
import type { ReactNode } from "react";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { Field, listOf } from "../parts/field.tsx";
import { Modal } from "../parts/modal.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { quoted } from "../parts/quoted.ts";
import { useAct } from "../parts/use-act.ts";

export function NewPrincipal({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [wish, setWish] = useState({ kind: "person", name: "", team: "", groups: "" });
  const { isBusy, problem, run } = useAct(onClose);
  const set = (name: keyof typeof wish) => (event: { target: { value: string } }) =>
    setWish((before) => ({ ...before, [name]: event.target.value }));
  const kind = wish.kind === "service" ? "service" : "person";
  const groups = listOf(wish.groups);
  const body = { kind, name: wish.name.trim(), team: wish.team.trim() || null, groups } as const;
  const command = `sallyport ${kind === "person" ? "people" : "services"} create --name ${quoted(body.name || "NAME")}${body.team ? ` --team ${quoted(body.team)}` : ""}${groups.map((one) => ` --group ${quoted(one)}`).join("")}`;
  return (
    <Modal title="New person or service" onClose={onClose}>
      <form onSubmit={(event) => (event.preventDefault(), run(() => call("principals.create", { body })))}>
        <Field label="Kind">
          {(id) => (
            <select id={id} value={wish.kind} onChange={set("kind")}>
              <option value="person">person</option>
              <option value="service">service: a program</option>
            </select>
          )}
        </Field>
        <Field label="Name">
          {(id) => (
            <input id={id} required maxLength={100} value={wish.name} onChange={set("name")} autoComplete="off" />
          )}
        </Field>
        <Field label="Team" hint="may be empty; budgets of teams count by it">
          {(id) => <input id={id} maxLength={100} value={wish.team} onChange={set("team")} autoComplete="off" />}
        </Field>
        <Field label="Groups" hint="divided by commas; rights are assigned to groups">
          {(id) => <input id={id} value={wish.groups} onChange={set("groups")} autoComplete="off" spellCheck={false} />}
        </Field>
        <ProblemNote problem={problem} />
        <p className="tools">
          <button type="submit" className="main" disabled={isBusy}>
            Create
          </button>
        </p>
        <p className="quiet">
          The same in a terminal: <Command text={command} />
        </p>
      </form>
    </Modal>
  );
}
