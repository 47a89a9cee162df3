/** A key that is shown once: it is in no address, no storage, and gone from the page with this part. */
import { useState } from "react";
import type { ReactNode } from "react";

export function ShownSecret({ text }: { readonly text: string }): ReactNode {
  const [isCopied, setIsCopied] = useState(false);
  return (
    <div className="note">
      <p>
        <strong>Copy the key now.</strong> The gateway keeps only its hash, so it cannot be shown again.
      </p>
      <output className="secret" data-secret>
        {text}
      </output>
      <p>
        <button
          type="button"
          className="main"
          onClick={() => void navigator.clipboard?.writeText(text).then(() => setIsCopied(true))}
        >
          {isCopied ? "Copied" : "Copy"}
        </button>
      </p>
    </div>
  );
}
