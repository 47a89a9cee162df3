/** May a key do a request? The gateway's own decision, with its reasons and what would change it. */
import { useState } from "react";
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { withoutSecret } from "@sallyport/protocol";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { Field } from "../parts/field.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { quoted } from "../parts/quoted.ts";
import { useAct } from "../parts/use-act.ts";
import type { PageProps } from "../page-props.ts";

/** What people ask about; any other path can be typed. */
const PATHS = ["/api/chat", "/api/generate", "/api/embed", "/v1/chat/completions", "/v1/messages", "/api/tags", "/api/pull"]; // prettier-ignore

export function ExplainPage({ place }: PageProps): ReactNode {
  const [wish, setWish] = useState({
    keyId: place.filters["key"] ?? "",
    method: "POST",
    path: "/api/chat",
    model: "",
    address: "",
    isSigned: false,
  });
  const [said, setSaid] = useState<Answer<"explain">>();
  const { isBusy, problem, run } = useAct(() => undefined);
  const set = (name: keyof typeof wish) => (event: { target: { value: string } }) => {
    setSaid(undefined);
    setWish((before) => ({ ...before, [name]: event.target.value }));
  };
  const { method, path, isSigned } = wish;
  const keyId = withoutSecret(wish.keyId).trim();
  const given = { model: wish.model.trim() || undefined, address: wish.address.trim() || undefined };
  const ask = async (): Promise<void> => {
    setSaid(undefined);
    const body = {
      keyId,
      method,
      path,
      ...withoutUndefined({ ...given, ...(isSigned && { isSigned }) }),
    };
    setSaid(await call("explain", { body }));
  };
  const flags = [
    given.model && ` --model ${quoted(given.model)}`,
    given.address && ` --from ${given.address}`,
    isSigned && " --signed",
  ];
  const command = `sallyport explain --key-id ${quoted(keyId || "KEY")} --method ${method} --path ${path}${flags.filter(Boolean).join("")}`;
  return (
    <>
      <form className="form" onSubmit={(event) => (event.preventDefault(), run(ask))}>
        <Field label="Key" hint="its id, or the key: only its id is sent">
          {(id) => (
            <input id={id} required value={wish.keyId} onChange={set("keyId")} autoComplete="off" spellCheck={false} />
          )}
        </Field>
        <Field label="Method">
          {(id) => (
            <select id={id} value={method} onChange={set("method")}>
              {["POST", "GET", "DELETE", "HEAD"].map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Path">
          {(id) => (
            <>
              <input id={id} required list={`${id}-paths`} value={path} onChange={set("path")} spellCheck={false} />
              <datalist id={`${id}-paths`}>
                {PATHS.map((one) => (
                  <option key={one} value={one} />
                ))}
              </datalist>
            </>
          )}
        </Field>
        <Field label="Model" hint="such as llama3.2; empty for requests that name none">
          {(id) => <input id={id} value={wish.model} onChange={set("model")} autoComplete="off" spellCheck={false} />}
        </Field>
        <Field label="Client's address" hint="empty: conditions about networks are listed and assumed to be met">
          {(id) => (
            <input id={id} value={wish.address} onChange={set("address")} autoComplete="off" spellCheck={false} />
          )}
        </Field>
        <label className="choice">
          <input
            type="checkbox"
            checked={isSigned}
            onChange={(event) => (
              setSaid(undefined),
              setWish((before) => ({ ...before, isSigned: event.target.checked }))
            )}
          />{" "}
          the request is signed
        </label>
        <ProblemNote problem={problem} />
        <p className="tools">
          <button type="submit" className="main" disabled={isBusy}>
            Ask
          </button>
        </p>
      </form>
      <div role="status">
        {said && (
          <section className={said.allowed ? "note" : "note wrong"} aria-label="Decision">
            <p>
              <strong>{said.allowed ? "Allowed" : `Denied: ${said.code}`}</strong>
            </p>
            <ul>
              {said.because.map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ul>
            {said.remedy.length > 0 && (
              <>
                <p>What would change it:</p>
                <ul>
                  {said.remedy.map((one) => (
                    <li key={one}>{one}</li>
                  ))}
                </ul>
              </>
            )}
          </section>
        )}
      </div>
      <p className="quiet">
        The same in a terminal: <Command text={command} />
      </p>
      <p className="quiet">
        Try it with the key:{" "}
        <Command
          text={`curl -H "Authorization: Bearer $KEY" GATEWAY${path}${method === "POST" ? ` -d '{"model":"${given.model ?? "MODEL"}"}'` : ""}`}
        />
      </p>
    </>
  );
}

function withoutUndefined<T extends object>(entry: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
