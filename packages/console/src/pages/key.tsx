/** One key: what it may do, its secrets, and what can be done about it. */
import { useState } from "react";
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { placeText } from "../address.ts";
import { call } from "../calls.ts";
import type { CallProblem } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { Modal } from "../parts/modal.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { ShownSecret } from "../parts/shown-secret.tsx";
import { Time } from "../parts/time.tsx";
import { problemOf, useAnswer } from "../parts/use-answer.ts";
import { may } from "../session.ts";
import type { Presence } from "../session.ts";
import { State } from "./keys.tsx";
import type { PageProps } from "../page-props.ts";

type FullKey = Answer<"keys.show">;

export function KeyPage({ place, present }: PageProps): ReactNode {
  const id = place.path.slice("keys/".length);
  const key = useAnswer(`key ${id}`, (signal) => call("keys.show", { params: { id } }, signal));
  return (
    <>
      <p>
        <a href={placeText("keys")}>All keys</a>
      </p>
      <ProblemNote problem={key.problem} />
      {key.value && (
        <>
          <Acts of={key.value} present={present} onDone={key.again} />
          <Facts of={key.value} />
          <Secrets of={key.value} />
        </>
      )}
    </>
  );
}

function Facts({ of }: { readonly of: FullKey }): ReactNode {
  const list = (values: readonly string[]): ReactNode => (values.length === 0 ? "none" : values.join(", "));
  const facts: readonly (readonly [string, ReactNode])[] = [
    ["Name", of.name],
    ["Id", <code key="id">{of.id}</code>],
    ["Environment", of.environment],
    ["State", <State key="state" of={of} />],
    ["Reason", of.reason ?? "–"],
    ["Owner", of.owner ?? "none"],
    ["Roles", list(of.roles)],
    ["Permissions", list(of.allow)],
    ["Models", list(of.models)],
    ["Right-sized to", boundaryText(of.boundary)],
    ["Networks", of.networks === null ? "any" : list(of.networks)],
    ["Created", <Time key="created" at={of.createdAt} />],
    ["Created by", of.createdBy],
    ["Expires", <Time key="expires" at={of.expiresAt} />],
    ["Last used", <Time key="used" at={of.lastUsedAt} />],
  ];
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Secrets({ of: { secrets } }: { readonly of: FullKey }): ReactNode {
  return (
    <section aria-label="Secrets">
      <h2>Secrets</h2>
      <ul className="secrets">
        {secrets.map(({ generation, state, createdAt, lastUsedAt, endsAt, instances }) => (
          <li key={generation}>
            <strong>
              {generation}: {state}
            </strong>
            , made <Time at={createdAt} />, last used <Time at={lastUsedAt} />
            {endsAt !== null && (
              <>
                , ends <Time at={endsAt} />
              </>
            )}
            {instances.length > 0 && (
              <ul>
                {instances.map(({ address, agent, usedAt }) => (
                  <li key={`${address} ${agent}`}>
                    {address} with {agent || "an unnamed client"}, <Time at={usedAt} />
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function boundaryText(boundary: FullKey["boundary"]): string {
  if (boundary === null) return "–";
  return boundary
    .map(({ permissions, models }) => permissions.join(", ") + (models === null ? "" : ` on ${models.join(", ")}`))
    .join("; ");
}

type Act = "rotate" | "suspend" | "resume" | "revoke";

const ACTS = {
  rotate: { title: "Rotate", says: "A new secret is made. The old one works until the new one has been in use for a while." },
  suspend: { title: "Suspend", says: "Requests with this key are denied at once, and those that run are ended. It can be resumed." },
  resume: { title: "Resume", says: "Requests with this key are served again." },
  revoke: { title: "Revoke", says: "Requests with this key are denied at once and for ever, and those that run are ended." },
} as const satisfies Record<Act, { title: string; says: string }>; // prettier-ignore

interface ActsProps {
  readonly of: FullKey;
  readonly present: Presence;
  readonly onDone: () => void;
}

function Acts({ of, present, onDone }: ActsProps): ReactNode {
  const [asked, setAsked] = useState<Act>();
  const possible: readonly Act[] =
    of.state === "revoked" ? [] : of.state === "suspended" ? ["resume", "revoke"] : ["rotate", "suspend", "revoke"];
  const offered = possible.filter((act) => may(present, `keys.${act}`));
  return (
    <div className="tools">
      {offered.map((act) => (
        <button
          key={act}
          type="button"
          className={act === "revoke" ? "danger" : undefined}
          onClick={() => setAsked(act)}
        >
          {ACTS[act].title}
        </button>
      ))}
      {asked && <Confirm act={asked} of={of} onClose={() => (setAsked(undefined), onDone())} />}
    </div>
  );
}

interface ConfirmProps {
  readonly act: Act;
  readonly of: FullKey;
  readonly onClose: () => void;
}

function Confirm({ act, of, onClose }: ConfirmProps): ReactNode {
  const [problem, setProblem] = useState<CallProblem>();
  const [isBusy, setIsBusy] = useState(false);
  const [secret, setSecret] = useState<string>();
  const { title, says } = ACTS[act];
  const run = async (): Promise<void> => {
    setIsBusy(true);
    try {
      const params = { id: of.id };
      if (act === "rotate") {
        const { key } = await call("keys.rotate", { params, body: { idempotencyKey: crypto.randomUUID() } });
        if (key !== undefined) return setSecret(key);
      } else await call(`keys.${act}`, { params });
      onClose();
    } catch (cause) {
      setProblem(problemOf(cause));
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <Modal title={`${title} ${of.name}?`} onClose={onClose}>
      {secret === undefined ? (
        <>
          <p>{says}</p>
          <ProblemNote problem={problem} />
          <p className="tools">
            <button
              type="button"
              className={act === "revoke" ? "danger" : "main"}
              disabled={isBusy}
              onClick={() => void run()}
            >
              {title}
            </button>
          </p>
          <p className="quiet">
            The same in a terminal: <Command text={`sallyport keys ${act} ${of.id}`} />
          </p>
        </>
      ) : (
        <ShownSecret text={secret} />
      )}
    </Modal>
  );
}
