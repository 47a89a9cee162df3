/**
 * A row of the usage counters: what one key asked of one model on one day (UTC), and what became of it. Every counter
 * only grows. A row is never about one request.
 */

/** What a row is about. An empty text stands for no owner, no team, no model. */
export interface UsageSubject {
  /** Days since 1970-01-01, UTC. */
  readonly day: number;
  readonly environment: string;
  /** Empty for denials that were counted for several keys together. */
  readonly key: string;
  readonly principal: string;
  readonly team: string;
  /** A model's key, or `OTHER_MODELS`. */
  readonly model: string;
  /** Of denials: why. Empty for admitted requests. */
  readonly code: string;
}

/** In the order in which the database has them. */
export const usageCounters = [
  "requests",
  "denied",
  "inputTokens",
  "outputTokens",
  "estimated",
  "computeMs",
  "queueMs",
  "bytesIn",
  "bytesOut",
] as const;
export type UsageCounter = (typeof usageCounters)[number];

export interface UsageTimes {
  /** Epoch ms of the first and the last record that was counted. */
  readonly firstAt: number;
  readonly lastAt: number;
}

export type UsageCounts = Readonly<Record<UsageCounter, number>> & UsageTimes;
export type UsageRow = UsageSubject & UsageCounts;

/** Models beyond the bound of a key and day, and models that were only asked for in denied requests. */
export const OTHER_MODELS = "other";

const DAY_MS = 86_400_000;
/** How long a day's counters are kept. */
export const USAGE_DAYS = 400;

export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS);
}

/** `2026-01-31` */
export function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** A sum stays a number that JavaScript and SQLite both hold exactly, whatever a model server reports. */
export function addBounded(a: number, b: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, a + b);
}

/** The subject as one text, different for different subjects. */
export function subjectText({ day, environment, key, principal, team, model, code }: UsageSubject): string {
  return JSON.stringify([day, environment, key, principal, team, model, code]);
}
