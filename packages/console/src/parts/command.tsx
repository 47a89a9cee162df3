/** A command of the terminal that does the same, to copy. */
import { useState } from "react";
import type { ReactNode } from "react";

export function Command({ text }: { readonly text: string }): ReactNode {
  const [isCopied, setIsCopied] = useState(false);
  const copy = (): void => {
    void navigator.clipboard?.writeText(text).then(() => setIsCopied(true));
  };
  return (
    <span className="command">
      <code>{text}</code>
      <button type="button" className="small" onClick={copy} aria-label={`copy ${text}`}>
        {isCopied ? "copied" : "copy"}
      </button>
    </span>
  );
}
