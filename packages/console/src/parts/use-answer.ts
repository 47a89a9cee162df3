/** What a call answers, asked again when its question changes, at an interval, or when it is told to. */
import { useCallback, useEffect, useRef, useState } from "react";
import { CallProblem } from "../calls.ts";

export interface Answered<T> {
  /** The newest answer; undefined before the first. It stays while the next one is asked for. */
  readonly value: T | undefined;
  /** Why the newest call failed; undefined if it did not. */
  readonly problem: CallProblem | undefined;
  readonly isLoading: boolean;
  readonly again: () => void;
}

/** `question` names what is asked: a new one is asked at once. A hidden page does not ask; it asks when it is shown. */
export function useAnswer<T>(
  question: string,
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
    const look = (): void => {
      if (document.hidden) return;
      asking.current(stop.signal).then(
        (value) => !stop.signal.aborted && setState({ value, problem: undefined, isLoading: false }),
        (cause: unknown) => {
          if (!stop.signal.aborted) setState((before) => ({ ...before, problem: problemOf(cause), isLoading: false }));
        },
      );
    };
    look();
    document.addEventListener("visibilitychange", look);
    const timer = everyMs === undefined ? undefined : setInterval(look, everyMs);
    return () => {
      stop.abort();
      document.removeEventListener("visibilitychange", look);
      clearInterval(timer);
    };
  }, [question, turn, everyMs]);
  const again = useCallback(() => setTurn((one) => one + 1), []);
  return { ...state, again };
}

export function problemOf(cause: unknown): CallProblem {
  if (cause instanceof CallProblem) return cause;
  const remedy = "check that the gateway is running and reachable; the page asks again";
  return new CallProblem(0, { title: "the gateway does not answer", code: "unreachable", remedy });
}
