/** The frame of every page: who is there, where one can go, and where one enters without a session. */
import { useCallback, useEffect, useState } from "react";
import type { ReactNode } from "react";
import { usePlace } from "./address.ts";
import { Door } from "./door.tsx";
import { refresh } from "./events/follow-events.ts";
import { Frame } from "./frame.tsx";
import { pageOf } from "./pages.tsx";
import { Connection } from "./parts/connection.tsx";
import { problemOf } from "./parts/use-answer.ts";
import { enter, presence, takeLink } from "./session.ts";
import { onSessionEnded } from "./session-end.ts";
import { SessionEnded } from "./session-ended.tsx";
import { sessionToken } from "./session-token.ts";
import type { Presence } from "./session.ts";
import type { CallProblem } from "./calls.ts";

export function App(): ReactNode {
  const place = usePlace();
  const [present, setPresent] = useState<Presence | null>(null);
  const [problem, setProblem] = useState<CallProblem>();
  const [isReady, setIsReady] = useState(false);
  const [isEnded, setIsEnded] = useState(false);

  const look = useCallback(async () => {
    const link = takeLink();
    try {
      if (link !== null) await enter(link);
      setPresent(link === null && sessionToken() === null ? null : await presence());
      setProblem(undefined);
      setIsEnded(false);
    } catch (cause) {
      setPresent(null);
      setProblem(problemOf(cause));
    } finally {
      setIsReady(true);
    }
  }, []);
  useEffect(() => void look(), [look]);
  // The page stays, with what was typed into it.
  useEffect(() => onSessionEnded(() => setIsEnded(true)), []);
  const comeBack = useCallback((again: Presence) => {
    setPresent(again);
    setIsEnded(false);
    refresh();
  }, []);
  const leave = useCallback(() => {
    setPresent(null);
    setIsEnded(false);
  }, []);
  // A link that is opened in a tab of the console changes the fragment only.
  useEffect(() => {
    const onHash = (): void => {
      if (location.hash.startsWith("#link=")) void look();
    };
    addEventListener("hashchange", onHash);
    return () => removeEventListener("hashchange", onHash);
  }, [look]);

  if (!isReady) return <p className="loading">Loading…</p>;
  if (present === null) return <Door problem={problem} onRetry={() => void look()} />;
  const page = pageOf(place.path);
  return (
    <Frame present={present} page={page} onLeft={leave}>
      <Connection />
      <page.Show key={place.path} place={place} present={present} />
      {isEnded && <SessionEnded onBack={comeBack} onClose={() => setIsEnded(false)} />}
    </Frame>
  );
}
