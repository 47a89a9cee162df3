/**
 * Requests as they end, and what runs and waits now. Filters are in the address. What comes is painted at most ten times a
 * second, however much it is, and what did not come is counted.
 */
import { useEffect, useRef, useState } from "react";
import type { ReactNode } from "react";
import type { Answer, LiveRequest } from "@sallyport/contract";
import { go, goInstead, placeText } from "../address.ts";
import { call } from "../calls.ts";
import { hearEvents } from "../events/follow-events.ts";
import type { Question } from "../events/question-kinds.ts";
import { LiveRing } from "../live-ring.ts";
import type { LiveFilter } from "../live-ring.ts";
import { Confirm } from "../parts/confirm.tsx";
import { DataTable } from "../parts/data-table.tsx";
import type { Column } from "../parts/data-table.tsx";
import { EnvironmentFilter } from "../parts/environment-filter.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Time } from "../parts/time.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { useEnvironments } from "../parts/use-environments.ts";
import { may } from "../session.ts";
import { count, duration, percent } from "../words.ts";
import type { PageProps } from "../page-props.ts";

type Environment = Answer<"activity">["environments"][number];
type Running = Environment["requests"][number];

const PAINT_MS = 100;
const SHOWN_MAX = 100;

export function LivePage({ place, present }: PageProps): ReactNode {
  const [isPaused, setIsPaused] = useState(false);
  const [ending, setEnding] = useState<Running>();
  const { environment } = place.filters;
  const environments = useEnvironments();
  const question: Question = `activity ${environment ?? ""} ${isPaused}`;
  /** What a paused view goes on showing, and of which environment. */
  const held = useRef<{ readonly of: string | undefined; readonly value: Answer<"activity"> }>(undefined);
  const activity = useAnswer(question, async (signal) => {
    if (isPaused && held.current && held.current.of === environment) return held.current.value;
    const value = await call("activity", { query: { environment } }, signal);
    held.current = { of: environment, value };
    return value;
  });
  const close = (): void => (setEnding(undefined), activity.again());
  return (
    <>
      <div className="tools">
        <button type="button" aria-pressed={isPaused} onClick={() => setIsPaused((one) => !one)}>
          {isPaused ? "Go on" : "Pause"}
        </button>
        <EnvironmentFilter place={place} environments={environments} />
      </div>
      <ProblemNote problem={activity.problem} />
      <Requests filter={place.filters} isPaused={isPaused} />
      {activity.value?.environments.map((one) => (
        <OneEnvironment key={one.name} of={one} onEnd={may(present, "requests.end") ? setEnding : undefined} />
      ))}
      {ending && (
        <Confirm
          title={`End the request of ${ending.keyName}?`}
          verb="End"
          isDangerous
          says="Its client gets an error, which says that an administrator ended the request. The key goes on working."
          command={`sallyport requests end ${ending.id}`}
          change={() => call("requests.end", { params: { id: ending.id } })}
          onDone={close}
          onClose={close}
        />
      )}
    </>
  );
}

/** Of a ring, what is painted. */
function useLiveRing(isPaused: boolean): LiveRing {
  const ring = useRef<LiveRing>(undefined);
  ring.current ??= new LiveRing();
  const [, setPainted] = useState(0);
  const paused = useRef(isPaused);
  paused.current = isPaused;
  useEffect(() => {
    let frame: number | undefined;
    let paintedMs = -Infinity;
    const paint = (nowMs: number): void => {
      frame = undefined;
      if (nowMs - paintedMs < PAINT_MS) return void (frame = requestAnimationFrame(paint));
      paintedMs = nowMs;
      setPainted((one) => one + 1);
    };
    const unhear = hearEvents((message) => {
      if (message.of === "requests") {
        // What comes while the view is paused is counted as what did not come.
        if (paused.current) ring.current!.add([], message.requests.length + message.left);
        else ring.current!.add(message.requests, message.left);
      } else if (message.of === "reset") ring.current!.add([], message.left);
      else return;
      frame ??= requestAnimationFrame(paint);
    });
    return () => {
      unhear();
      if (frame !== undefined) cancelAnimationFrame(frame);
    };
  }, []);
  return ring.current;
}

function Requests({ filter, isPaused }: { readonly filter: LiveFilter; readonly isPaused: boolean }): ReactNode {
  const ring = useLiveRing(isPaused);
  const { shown, matching } = ring.newest(filter, SHOWN_MAX);
  const outcomes = [...new Set([...ring.outcomes(), ...(filter.outcome ? [filter.outcome] : [])])];
  const withMore = (more: LiveFilter): Record<string, string | undefined> => ({ ...filter, ...more });
  const type = (more: LiveFilter): void => goInstead("live", withMore(more));
  return (
    <section aria-label="Requests">
      <h2>Requests</h2>
      <div className="tools">
        <label>
          Outcome{" "}
          <select
            value={filter.outcome ?? ""}
            onChange={({ target }) => go("live", withMore({ outcome: target.value }))}
          >
            <option value="">all</option>
            {outcomes.map((outcome) => (
              <option key={outcome}>{outcome}</option>
            ))}
          </select>
        </label>
        <TextFilter label="Model" value={filter.model} onSet={(model) => type({ model })} />
        <TextFilter label="Key" value={filter.key} onSet={(key) => type({ key })} />
      </div>
      <p className="quiet" data-live-count>
        {count(ring.kept)} kept, {count(matching)} match, the newest {count(shown.length)} shown
        {ring.left > 0 && `; ${count(ring.left)} more happened and are not here`}
      </p>
      <DataTable
        caption="Requests that are over"
        rows={shown}
        keyOf={({ id }) => id}
        empty={<p>No request matches yet. They are shown as they end.</p>}
        columns={REQUESTS}
      />
    </section>
  );
}

interface TextFilterProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly onSet: (value: string) => void;
}

function TextFilter({ label, value, onSet }: TextFilterProps): ReactNode {
  return (
    <label>
      {label}{" "}
      <input
        value={value ?? ""}
        onChange={({ target }) => onSet(target.value)}
        autoComplete="off"
        spellCheck={false}
        maxLength={100}
      />
    </label>
  );
}

const REQUESTS: readonly Column<LiveRequest>[] = [
  { name: "When", show: ({ at }) => <Time at={at} /> },
  { name: "Environment", show: ({ environment }) => environment },
  { name: "Key", show: ({ key, keyName }) => <a href={placeText(`keys/${key}`)}>{keyName}</a> },
  { name: "Model", show: ({ model }) => model ?? "–" },
  { name: "Endpoint", show: ({ endpoint }) => endpoint },
  { name: "Outcome", show: ({ outcome, code }) => (code === null ? outcome : `${outcome}: ${code}`) },
  { name: "Time", show: ({ totalMs }) => duration(totalMs), isNumber: true },
  { name: "Waited", show: ({ queuedMs }) => duration(queuedMs), isNumber: true },
  { name: "Tokens", show: ({ inputTokens, outputTokens }) => count(inputTokens + outputTokens), isNumber: true },
];

interface OneEnvironmentProps {
  readonly of: Environment;
  /** Undefined where the person may not. */
  readonly onEnd: ((request: Running) => void) | undefined;
}

function OneEnvironment({ of, onEnd }: OneEnvironmentProps): ReactNode {
  return (
    <section aria-label={of.name}>
      <h2>{of.name}</h2>
      <DataTable
        caption={`What runs and waits in ${of.name}`}
        rows={of.requests}
        keyOf={({ id }) => id}
        empty={<p>Nothing runs or waits.</p>}
        columns={[
          { name: "State", show: ({ state }) => <span className={`state ${state}`}>{state}</span> },
          { name: "Key", show: ({ key, keyName }) => <a href={placeText(`keys/${key}`)}>{keyName}</a> },
          { name: "Model", show: ({ model }) => model ?? "–" },
          { name: "Endpoint", show: ({ endpoint }) => endpoint },
          { name: "Server", show: ({ server }) => server ?? "–" },
          { name: "For", show: ({ sinceMs }) => duration(sinceMs), isNumber: true },
          { name: "Bytes", show: ({ sentBytes }) => count(sentBytes), isNumber: true },
          ...(onEnd ? [endColumn(onEnd)] : []),
        ]}
      />
      {of.users.length > 0 && (
        <DataTable
          caption={`Shares of ${of.name}`}
          rows={of.users}
          keyOf={({ principal }) => principal}
          empty={null}
          columns={[
            { name: "User", show: ({ name, principal }) => name ?? principal },
            { name: "Running", show: ({ running }) => count(running), isNumber: true },
            { name: "Waiting", show: ({ waiting }) => count(waiting), isNumber: true },
            { name: "Share", show: ({ share }) => percent(share), isNumber: true },
            { name: "Compute", show: ({ computeMs }) => duration(computeMs), isNumber: true },
            { name: "Mean wait", show: ({ meanQueueMs }) => duration(meanQueueMs), isNumber: true },
          ]}
        />
      )}
      {of.budgets.length > 0 && (
        <DataTable
          caption={`Budgets of ${of.name}`}
          rows={of.budgets}
          keyOf={({ account, budget }) => `${account} ${budget}`}
          empty={null}
          columns={[
            { name: "Budget", show: ({ account, budget }) => `${budget} of ${account}` },
            { name: "Used", show: ({ used, amount }) => percent(used / amount), isNumber: true },
            { name: "Until", show: ({ endsAt }) => <Time at={endsAt} /> },
          ]}
        />
      )}
    </section>
  );
}

function endColumn(onEnd: (request: Running) => void): Column<Running> {
  return {
    name: "Act",
    show: (request) => (
      <button type="button" className="small" aria-label={`End ${request.id}`} onClick={() => onEnd(request)}>
        End
      </button>
    ),
  };
}
