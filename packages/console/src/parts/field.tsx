/** A labelled part of a form, with a word about what it is for. */
import { useId } from "react";
import type { ReactNode } from "react";

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly children: (id: string) => ReactNode;
}

export function Field({ label, hint, children }: FieldProps): ReactNode {
  const id = useId();
  return (
    <p className="field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
      {hint && <span className="quiet">{hint}</span>}
    </p>
  );
}

/** Names that are divided by commas or spaces. */
export function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((one) => one !== "");
}
