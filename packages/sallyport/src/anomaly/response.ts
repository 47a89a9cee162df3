/**
 * From an alert to what is done about it: policy says which action each kind of alert asks for, and this says which of it may
 * be done without a person. More than a notice only for a fact or two independent signals; always for a time, and always
 * something that can be taken back. Pure: carrying it out is the gateway's.
 */
import { alertActions } from "@sallyport/protocol";
import type { AlertAction } from "@sallyport/protocol";
import { ALERT_KINDS } from "./alert.ts";
import type { AnomalyPolicy } from "../access/policy.ts";
import type { Alert, AlertKind } from "./alert.ts";

/** From the mildest to the gravest. */
export const ACTIONS = alertActions;
export type Action = AlertAction;

export const DEFAULT_ANOMALY_POLICY: AnomalyPolicy = { budget: 1, actions: { default: "notify" }, forMs: 3_600_000 };

export interface Response {
  readonly alert: string;
  readonly environment: string;
  readonly key: string;
  readonly action: Action;
  /** What policy asked for where it was more than may be done without a person; null = the same. */
  readonly held: Action | null;
  /** When it is taken back, epoch ms; null for what changes nothing. */
  readonly until: number | null;
  /** What takes it back. */
  readonly undo: Action | "resume" | null;
}

/** The key's own access conditions, for responses that could lock out its rightful user. */
export interface Reach {
  /** Known networks of the key; none = it must not be bound to them. */
  readonly networks: readonly string[];
  /** Signers are registered for it. */
  readonly hasSigner: boolean;
  /** It stands for a person who can prove himself. */
  readonly hasPerson: boolean;
}

const MOST_WITHOUT_PERSON = ACTIONS.indexOf("notify");

export function respond(alert: Alert, policy: AnomalyPolicy, reach: Reach): Response {
  const asked = policy.actions[alert.kind] ?? policy.actions.default;
  const may = alert.isDeterministic || alert.signals >= 2 ? asked : atMost(asked, MOST_WITHOUT_PERSON);
  const action = possibleAction(may, reach);
  const changes = ACTIONS.indexOf(action) > MOST_WITHOUT_PERSON;
  return {
    alert: alert.id,
    environment: alert.environment,
    key: alert.key,
    action,
    held: action === asked ? null : asked,
    until: changes ? alert.at + policy.forMs : null,
    undo: changes ? (action === "suspend" ? "resume" : action) : null,
  };
}

function atMost(action: Action, most: number): Action {
  return ACTIONS[Math.min(ACTIONS.indexOf(action), most)]!;
}

/** A condition that no client of the key can meet would be a hidden suspension, so the key is suspended openly. */
export function possibleAction(action: Action, { networks, hasSigner, hasPerson }: Reach): Action {
  if (action === "signature" && !hasSigner) return "suspend";
  if (action === "identity" && !hasPerson) return "suspend";
  if (action === "networks" && networks.length === 0) return "suspend";
  return action;
}

export type { AnomalyPolicy };

export interface ResponseMistake {
  readonly path: string;
  readonly says: string;
}

/** Reads what stands under `anomalies`; every mistake at once. Durations are read by the caller's own reader. */
export function readAnomalyPolicy(
  said: unknown,
  durationMs: (text: string) => number | undefined,
): AnomalyPolicy | readonly ResponseMistake[] {
  const mistakes: ResponseMistake[] = [];
  const wrong = (path: string, says: string): void => void mistakes.push({ path, says });
  if (typeof said !== "object" || said === null || Array.isArray(said))
    return [{ path: "anomalies", says: "is no mapping" }];
  const { budget = 1, actions = {}, for: lasting = "1h", ...others } = said as Record<string, unknown>;
  for (const name of Object.keys(others)) wrong(name, "is not known");
  if (typeof budget !== "number" || !(budget > 0)) wrong("budget", "is no number above 0");
  const forMs = typeof lasting === "string" ? durationMs(lasting) : undefined;
  if (forMs === undefined || forMs <= 0) wrong("for", "is no duration above 0 such as 1h");
  const read: Partial<Record<AlertKind | "default", Action>> = {};
  if (typeof actions !== "object" || actions === null || Array.isArray(actions)) wrong("actions", "is no mapping");
  else
    for (const [kind, action] of Object.entries(actions)) {
      if (kind !== "default" && !(ALERT_KINDS as readonly string[]).includes(kind))
        wrong(`actions.${kind}`, "is no kind of alert");
      else if (!(ACTIONS as readonly unknown[]).includes(action))
        wrong(`actions.${kind}`, `must be one of ${ACTIONS.join(", ")}`);
      else read[kind as AlertKind | "default"] = action as Action;
    }
  if (mistakes.length > 0 || typeof budget !== "number" || forMs === undefined) return mistakes;
  return { budget, actions: { ...read, default: read.default ?? "notify" }, forMs };
}
