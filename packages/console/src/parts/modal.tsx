/** A dialog of the browser's own kind: it takes the focus, keeps it, and gives it back. */
import { useEffect, useId, useRef } from "react";
import type { ReactNode } from "react";

interface ModalProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function Modal({ title, onClose, children }: ModalProps): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const name = useId();
  useEffect(() => {
    const shown = dialog.current!;
    shown.showModal();
    // The browser would take the first button, which closes it.
    shown.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => shown.close();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={name} onCancel={onClose} onClose={onClose}>
      <div className="head">
        <h2 id={name}>{title}</h2>
        <button type="button" className="small" onClick={onClose}>
          Close
        </button>
      </div>
      {children}
    </dialog>
  );
}
