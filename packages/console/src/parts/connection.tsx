/** How the connection to the gateway's events is, where it is not as it should be. */
import { useEffect, useState } from "react";
import type { ReactNode } from "react";
import { connectionState, followEvents, hearEvents } from "../events/follow-events.ts";
import { saySessionEnded } from "../session-end.ts";
import { sessionToken } from "../session-token.ts";

/** A moment without a connection is nothing to speak of. */
const PATIENCE_MS = 1_500;

export function Connection(): ReactNode {
  const [state, setState] = useState(connectionState);
  const [first, setFirst] = useState(() => connectionState().version);
  const [isLong, setIsLong] = useState(false);
  useEffect(() => {
    const unhear = hearEvents((message) => {
      if (message.of !== "state") return;
      setState(message.state);
      if (message.state.is === "ended" && sessionToken() !== null) saySessionEnded();
    });
    followEvents();
    return unhear;
  }, []);
  useEffect(() => setFirst((held) => held ?? state.version), [state.version]);
  const isLost = state.is === "lost" || state.is === "connecting";
  useEffect(() => {
    if (!isLost) return setIsLong(false);
    const timer = setTimeout(() => setIsLong(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isLost]);
  const isNewer = first !== null && state.version !== null && state.version !== first;
  return (
    <div role="status" className="connection" data-connection={state.is}>
      {isLost && isLong && (
        <p className="note wrong">Not connected: {state.says || "the gateway does not answer"}, trying again</p>
      )}
      {isNewer && (
        <p className="note">
          The gateway is another version now.{" "}
          <button type="button" className="small" onClick={() => location.reload()}>
            Reload
          </button>
        </p>
      )}
    </div>
  );
}
