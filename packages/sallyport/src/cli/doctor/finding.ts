/** What `doctor` says of one thing it looked at. */
export interface Finding {
  /** What was looked at, for people: `disk`, `upstream dev/u1`. */
  readonly check: string;
  /** What was found, for scripts: stable, unlike the sentences. */
  readonly code: string;
  /** `note`: worth knowing, nothing wrong. */
  readonly state: "ok" | "note" | "wrong";
  readonly says: string;
  /** What to do about it; empty where there is nothing to do. */
  readonly remedy: string;
}

export function fine(check: string, code: string, says: string): Finding {
  return { check, code, state: "ok", says, remedy: "" };
}
export function note(check: string, code: string, says: string, remedy: string): Finding {
  return { check, code, state: "note", says, remedy };
}
export function wrong(check: string, code: string, says: string, remedy: string): Finding {
  return { check, code, state: "wrong", says, remedy };
}
