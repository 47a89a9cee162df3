/** A report as it is, before it is Markdown or HTML: texts in the clear, escaped by who writes them. */
import type { RadiusView } from "@sallyport/contract";

export interface Report {
  readonly title: string;
  /** What happened, in sentences. */
  readonly summary: readonly string[];
  readonly facts: readonly (readonly [string, string])[];
  readonly timeline: RadiusView["timeline"];
  /** ISO times: how far the picture reaches. */
  readonly from: string;
  readonly to: string;
  readonly sections: readonly Section[];
  readonly remedies: readonly Remedy[];
}

export interface Section {
  readonly title: string;
  /** A sentence before the table. */
  readonly says: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What is missing, in words; empty if nothing is. */
  readonly more: string;
}

export interface Remedy {
  readonly says: string;
  /** Each is typed as it stands: made of ids, networks and words of ours alone. */
  readonly commands: readonly string[];
}

export interface ReportProof {
  readonly seq: number;
  readonly why: string;
  /** Its path, relative to the report's folder; null without one. */
  readonly file: string | null;
}

/** What was frozen when the incident was opened. */
export interface FrozenEvidence {
  /** Exports, from the report's folder. */
  readonly folders: readonly string[];
  /** Why it is missing, in words; otherwise empty. */
  readonly missing: string;
}

/** The minute, for people: `2026-01-31 12:00Z`. */
export function minute(iso: string): string {
  return `${iso.slice(0, 16).replace("T", " ")}Z`;
}

const STEPS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
] as const;

/** A span in its two greatest units: `3d 4h`. */
export function spanText(ms: number): string {
  const at = STEPS.findIndex(([unit]) => ms >= unit);
  if (at < 0) return "less than a second";
  const [unit, name] = STEPS[at]!;
  const [smaller, smallerName] = STEPS[at + 1] ?? [0, ""];
  const rest = smaller === 0 ? 0 : Math.floor((ms % unit) / smaller);
  return `${Math.floor(ms / unit)}${name}${rest > 0 ? ` ${rest}${smallerName}` : ""}`;
}

/** `1 model`, `2 models`. */
export function numbered(count: number, one: string, several = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : several}`;
}

/** Digits in groups, the same in every locale. */
export function countText(count: number): string {
  const digits = String(count);
  let grouped = digits.slice(-3);
  for (let end = digits.length - 3; end > 0; end -= 3)
    grouped = `${digits.slice(Math.max(0, end - 3), end)} ${grouped}`;
  return grouped;
}
