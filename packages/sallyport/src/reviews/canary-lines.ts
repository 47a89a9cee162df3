/**
 * Canary lines: lines of a review that stand for no one's right, each a key with a wildcard that was never used. Who keeps
 * one has not looked. Which lines they are is committed to when the review starts and shown when it is closed. Pure, but
 * for the randomness it is given.
 */
import { jsonDigest } from "./population.ts";
import type { PopulationEntry, ReviewEvidence } from "./review.ts";

const LINES_FOR_ONE = 50;
const DAY_MS = 86_400_000;

/** How many are planted among that many lines. */
export function canaryCount(lines: number): number {
  return Math.floor(lines / LINES_FOR_ONE);
}

export interface CanaryPorts {
  /** A whole number from 0 to below `end`. */
  readonly below: (end: number) => number;
  readonly newId: () => string;
}

/** Made after a real key of the population, so that its owner and issuer are no sign. */
export function canaryLine(
  model: PopulationEntry,
  lifetimeMs: number,
  now: number,
  { below, newId }: CanaryPorts,
): { readonly entry: PopulationEntry; readonly evidence: ReviewEvidence; readonly permissions: readonly string[] } {
  // Old enough to look unused, where keys live so long, and not expired.
  const youngMs = lifetimeMs > 10 * DAY_MS ? 8 * DAY_MS : 0;
  const createdAt = now - youngMs - below(Math.max(1, lifetimeMs - youngMs - 1));
  const permissions = ["infer:chat", "infer:generate", "models:list"];
  const entry: PopulationEntry = {
    subject: `key:${newId()}`,
    name: similarName(model.name, below(98) + 2),
    owner: model.owner,
    issuer: model.issuer,
    state: "active",
    roles: [],
    allow: permissions,
    models: ["*"],
    permissions: [],
    environments: [],
    conditions: [],
  };
  const evidence: ReviewEvidence = {
    createdAt,
    expiresAt: createdAt + lifetimeMs,
    rotatedAt: null,
    lastUsedAt: null,
    requests: 0,
    ownerState: "active",
    anomalies: 0,
    opens: ["infer:chat on *", "infer:generate on *", "models:list"],
  };
  return { entry, evidence, permissions };
}

/** As its maker might have named another key: no list of names gives it away. */
function similarName(name: string, number: number): string {
  const ending = /[0-9]{1,6}$/.exec(name);
  if (ending) return `${name.slice(0, ending.index)}${number}`;
  return `${START.exec(name)![0]}-${number}`;
}

/** Never splits a character. */
const START = /^.{0,90}/su;

/** What the audit log has from the start on: which lines are canaries, hidden until the salt is known. */
export function canaryCommitment(salt: string, lines: readonly number[]): string {
  return jsonDigest({ salt, lines: lines.toSorted((a, b) => a - b) });
}
