/** A new key: for whom, for which models, for how long; shown once. */
import { useState } from "react";
import type { FormEvent, ReactNode } from "react";
import { placeText } from "../address.ts";
import { call } from "../calls.ts";
import type { CallProblem } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { Field, listOf } from "../parts/field.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { ShownSecret } from "../parts/shown-secret.tsx";
import { problemOf } from "../parts/use-answer.ts";
import { useEnvironments, useServedEnvironment } from "../parts/use-environments.ts";
import type { PageProps } from "../page-props.ts";

interface Wish {
  readonly name: string;
  readonly environment: string;
  readonly role: string;
  readonly models: string;
  readonly ttl: string;
}

/** Roles that are built in, with what they are for. */
const ROLES = [
  ["chatbot", "chat with the models below"],
  ["cli", "chat, and see which models there are"],
  ["embedder", "embeddings only"],
] as const;

export function NewKeyPage({ place }: PageProps): ReactNode {
  const environments = useEnvironments();
  const served = useServedEnvironment();
  const [wish, setWish] = useState<Wish>({ name: "", environment: "", role: "cli", models: "", ttl: "30d" });
  const [problem, setProblem] = useState<CallProblem>();
  const [isBusy, setIsBusy] = useState(false);
  const [made, setMade] = useState<{ readonly id: string; readonly key: string }>();
  const environment = wish.environment || (place.filters["environment"] ?? served);
  const models = listOf(wish.models);
  const set = (name: keyof Wish) => (event: { target: { value: string } }) =>
    setWish((before) => ({ ...before, [name]: event.target.value }));
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setIsBusy(true);
    setProblem(undefined);
    try {
      const body = { environment, name: wish.name, roles: [wish.role], models, ttl: wish.ttl };
      const { id, key } = await call("keys.create", { body });
      setMade({ id, key: key ?? "" });
    } catch (cause) {
      setProblem(problemOf(cause));
    } finally {
      setIsBusy(false);
    }
  };
  if (made !== undefined)
    return (
      <>
        <ShownSecret text={made.key} />
        <p>
          <a href={placeText(`keys/${made.id}`)}>The key's page</a>
        </p>
      </>
    );
  return (
    <form className="form" onSubmit={(event) => void submit(event)}>
      <Field label="Name" hint="what will use it, such as open-webui">
        {(id) => <input id={id} required maxLength={100} value={wish.name} onChange={set("name")} autoComplete="off" />}
      </Field>
      <Field label="Environment">
        {(id) => (
          <select id={id} required value={environment} onChange={set("environment")}>
            {environments.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Role">
        {(id) => (
          <select id={id} value={wish.role} onChange={set("role")}>
            {ROLES.map(([name, says]) => (
              <option key={name} value={name}>
                {name}: {says}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Models" hint="names or patterns such as llama3.2 or qwen3:*, divided by commas">
        {(id) => (
          <input id={id} required value={wish.models} onChange={set("models")} autoComplete="off" spellCheck={false} />
        )}
      </Field>
      <Field label="Lives for">
        {(id) => (
          <select id={id} value={wish.ttl} onChange={set("ttl")}>
            {["1d", "7d", "30d", "90d"].map((ttl) => (
              <option key={ttl} value={ttl}>
                {ttl.replace("d", ttl === "1d" ? " day" : " days")}
              </option>
            ))}
          </select>
        )}
      </Field>
      <ProblemNote problem={problem} />
      <p className="tools">
        <button type="submit" className="main" disabled={isBusy}>
          Create the key
        </button>
      </p>
      <p className="quiet">
        The same in a terminal: <Command text={commandOf({ ...wish, environment }, models)} />
      </p>
    </form>
  );
}

function commandOf({ name, environment, role, ttl }: Wish, models: readonly string[]): string {
  const given = models.map((model) => ` --model ${model}`).join("");
  return `sallyport keys create ${name || "NAME"} --env ${environment || "ENV"} --role ${role}${given} --ttl ${ttl}`;
}
