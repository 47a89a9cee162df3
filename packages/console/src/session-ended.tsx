/**
 * Asks for a new session where the old one ended. The page below stays as it is, with everything that was typed: the act can
 * be repeated. A link that is opened in another tab of this browser is noticed, too.
 */
import { useEffect, useState } from "react";
import type { ReactNode } from "react";
import type { CallProblem } from "./calls.ts";
import { Command } from "./parts/command.tsx";
import { Modal } from "./parts/modal.tsx";
import { ProblemNote } from "./parts/problem-note.tsx";
import { problemOf } from "./parts/use-answer.ts";
import { enter, linkIn, presence } from "./session.ts";
import type { Presence } from "./session.ts";

interface SessionEndedProps {
  readonly onBack: (present: Presence) => void;
  /** The person looks at the page without one; the next call asks again. */
  readonly onClose: () => void;
}

export function SessionEnded({ onBack, onClose }: SessionEndedProps): ReactNode {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<CallProblem>();
  const [isBusy, setIsBusy] = useState(false);
  useEffect(() => {
    const look = (): void => void presence().then(onBack, () => undefined);
    addEventListener("storage", look);
    return () => removeEventListener("storage", look);
  }, [onBack]);
  const come = async (): Promise<void> => {
    setIsBusy(true);
    try {
      await enter(linkIn(text) ?? text.trim());
      setText("");
      onBack(await presence());
    } catch (cause) {
      setProblem(problemOf(cause));
      setIsBusy(false);
    }
  };
  return (
    <Modal title="Your session has ended" onClose={onClose}>
      <p>Nothing on this page is lost. Run this command on the gateway's machine:</p>
      <p>
        <Command text="sallyport console" />
      </p>
      <p>Open the link that it prints in another tab of this browser, or paste it here. Then repeat what you did.</p>
      <ProblemNote problem={problem} />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void come();
        }}
      >
        <label>
          Link
          <input
            value={text}
            onChange={(event) => setText(event.target.value)}
            autoComplete="off"
            spellCheck={false}
            required
          />
        </label>
        <button type="submit" className="main" disabled={isBusy}>
          Go on
        </button>
      </form>
    </Modal>
  );
}
