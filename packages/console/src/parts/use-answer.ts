/**
 * What a call answers. It is asked again when its question changes, when the gateway says that what it is about has
 * changed, at an interval, and at `again()`.
 */
import { useCallback, useEffect, useRef, useState } from "react";
import { CallProblem } from "../calls.ts";
import { hearEvents } from "../events/follow-events.ts";
import { isAbout } from "../events/question-kinds.ts";
import type { Question } from "../events/question-kinds.ts";

export interface Answered<T> {
  /** The newest answer; undefined before the first. It stays while the next one is asked for. */
  readonly value: T | undefined;
  /** Why the newest call failed; undefined if it did not. */
  readonly problem: CallProblem | undefined;
  readonly isLoading: boolean;
  readonly again: () => void;
}

/** What changes all the time is asked again no more often. */
const OFTEN_MS = 1_000;

/**
 * `question` names what is asked, and by its first word what it is about: a new one is asked at once. A hidden page does
 * not ask; it asks when it is shown.
 */
export function useAnswer<T>(
  question: Question,
  askFor: (signal: AbortSignal) => Promise<T>,
  everyMs?: number,
): Answered<T> {
  const [state, setState] = useState<{ value: T | undefined; problem: CallProblem | undefined; isLoading: boolean }>({
    value: undefined,
    problem: undefined,
    isLoading: true,
  });
  const [turn, setTurn] = useState(0);
  const asking = useRef(askFor);
  asking.current = askFor;
  useEffect(() => {
    const stop = new AbortController();
    setState((before) => ({ ...before, isLoading: true }));
    let askedMs = 0;
    let soon: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      clearTimeout(soon);
      soon = undefined;
      if (document.hidden) return;
      askedMs = performance.now();
      asking.current(stop.signal).then(
        (value) => !stop.signal.aborted && setState({ value, problem: undefined, isLoading: false }),
        (cause: unknown) => {
          if (stop.signal.aborted) return;
          // That the session has ended is said once, for all of the page, which keeps what it shows.
          const problem = isSessionOver(cause) ? undefined : problemOf(cause);
          setState((before) => ({ ...before, problem, isLoading: false }));
        },
      );
    };
    look();
    document.addEventListener("visibilitychange", look);
    const unhear = hearEvents((message) => {
      const isMine = message.of === "reset" || (message.of === "changed" && isAbout(question, message.kinds));
      if (!isMine || soon !== undefined) return;
      soon = setTimeout(look, Math.max(0, askedMs + OFTEN_MS - performance.now()));
    });
    const timer = everyMs === undefined ? undefined : setInterval(look, everyMs);
    return () => {
      stop.abort();
      document.removeEventListener("visibilitychange", look);
      clearInterval(timer);
      clearTimeout(soon);
      unhear();
    };
  }, [question, turn, everyMs]);
  const again = useCallback(() => setTurn((one) => one + 1), []);
  return { ...state, again };
}

function isSessionOver(cause: unknown): boolean {
  return cause instanceof CallProblem && cause.status === 401;
}

export function problemOf(cause: unknown): CallProblem {
  if (cause instanceof CallProblem) return cause;
  const remedy = "check that the gateway is running and reachable; the page asks again";
  return new CallProblem(0, { title: "the gateway does not answer", code: "unreachable", remedy });
}
