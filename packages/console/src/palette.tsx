/** Every page and the acts that begin somewhere, by a few letters: Ctrl+K, or Cmd+K on a Mac. */
import { useEffect, useId, useState } from "react";
import type { KeyboardEvent, ReactNode } from "react";
import { go } from "./address.ts";
import { Modal } from "./parts/modal.tsx";

export interface PaletteEntry {
  readonly title: string;
  readonly path: string;
}

interface PaletteProps {
  readonly entries: readonly PaletteEntry[];
}

export function Palette({ entries }: PaletteProps): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent): void => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      event.preventDefault();
      setIsOpen((one) => !one);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <button type="button" className="small" aria-keyshortcuts="Control+K Meta+K" onClick={() => setIsOpen(true)}>
        Go to…
      </button>
      {isOpen && <Chooser entries={entries} onClose={() => setIsOpen(false)} />}
    </>
  );
}

function Chooser({ entries, onClose }: PaletteProps & { readonly onClose: () => void }): ReactNode {
  const [wanted, setWanted] = useState("");
  const [at, setAt] = useState(0);
  const name = useId();
  const found = entriesFor(entries, wanted);
  const chosen = Math.min(at, found.length - 1);
  const choose = (entry: PaletteEntry | undefined): void => {
    if (entry === undefined) return;
    onClose();
    go(entry.path);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && found.length > 0) {
      event.preventDefault();
      setAt((chosen + step + found.length) % found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(found[chosen]);
    }
  };
  return (
    <Modal title="Go to" onClose={onClose}>
      <input
        role="combobox"
        aria-label="Page, act or key id"
        aria-expanded
        aria-controls={name}
        aria-activedescendant={found.length === 0 ? undefined : `${name}-${chosen}`}
        autoComplete="off"
        spellCheck={false}
        data-first
        value={wanted}
        onChange={(event) => (setWanted(event.target.value), setAt(0))}
        onKeyDown={onKeyDown}
      />
      <ul id={name} role="listbox" aria-label="Matches" className="choices">
        {found.map((entry, index) => (
          <li
            key={entry.path}
            id={`${name}-${index}`}
            role="option"
            aria-selected={index === chosen}
            onClick={() => choose(entry)}
          >
            {entry.title}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="quiet">No page or act has this name.</p>}
    </Modal>
  );
}

/** Those whose title has all the words; a key's id leads to the key, and an incident's to the incident. */
export function entriesFor(entries: readonly PaletteEntry[], wanted: string): readonly PaletteEntry[] {
  const text = wanted.trim();
  const words = text.toLowerCase().split(/\s+/);
  const found = entries.filter(({ title }) => words.every((word) => title.toLowerCase().includes(word)));
  if (/^[0-9A-Za-z]{12}$/.test(text)) return [...found, { title: `Key ${text}`, path: `keys/${text}` }];
  if (/^inc_[0-9A-Za-z]{12}$/.test(text)) return [...found, { title: `Incident ${text}`, path: `incidents/${text}` }];
  return found;
}
