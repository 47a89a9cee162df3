/** Alerts survive a restart, so that a classification on the next morning still updates the baseline. */
import { ALERT_KINDS } from "./alert.ts";
import type { Alert, AlertFactor } from "./alert.ts";

/** The newest: what came before is answered, or will not be. */
export const KEPT_ALERTS_MAX = 200;

/**
 * The entries of `kept` that are valid alerts, oldest first. Invalid entries are skipped: a damaged file loses only
 * what is damaged.
 */
export function readAlerts(kept: unknown): readonly Alert[] {
  return Array.isArray(kept) ? kept.filter(isAlert).slice(-KEPT_ALERTS_MAX) : [];
}

function isAlert(value: unknown): value is Alert {
  if (!isObject(value)) return false;
  const { id, at, environment, key, owner, kind, isDeterministic, signals, p, factors, evidence } = value;
  return (
    typeof environment === "string" &&
    typeof key === "string" &&
    ALERT_KINDS.some((one) => one === kind) &&
    Number.isSafeInteger(at) &&
    id === `${environment}/${key}/${String(kind)}/${String(at)}` &&
    (owner === null || typeof owner === "string") &&
    typeof isDeterministic === "boolean" &&
    Number.isSafeInteger(signals) &&
    (p === null || typeof p === "number") &&
    Array.isArray(factors) &&
    factors.every(isFactor) &&
    Array.isArray(evidence) &&
    evidence.every((one) => isObject(one) && typeof one["request"] === "string" && Number.isSafeInteger(one["at"]))
  );
}

function isFactor(value: unknown): value is AlertFactor {
  if (!isObject(value)) return false;
  const { name, observed, usual, p } = value;
  return (
    typeof name === "string" &&
    isTold(observed) &&
    Array.isArray(usual) &&
    usual.every(isTold) &&
    (p === null || typeof p === "number")
  );
}

function isTold(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
