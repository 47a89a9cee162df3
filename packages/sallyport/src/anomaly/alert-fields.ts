/** An alert as the ledger keeps it: every factor in words, what is usual beside it, and where the requests can be read. */
import type { LedgerEvent } from "../audit/event.ts";
import { alertKinds } from "./alert.ts";
import type { Alert, AlertFactor } from "./alert.ts";
import type { Response } from "./response.ts";

const USUAL_TOLD = 20;
const TEXT_MAX = 300;

export function alertFields(
  alert: Alert,
  response: Pick<Response, "action" | "held" | "until">,
): LedgerEvent["fields"] {
  const { kind, key, owner, id, isDeterministic, signals, p, factors, evidence } = alert;
  return {
    alert: id,
    key,
    principal: owner,
    kind,
    says: alertKinds[kind].says,
    is_fact: isDeterministic,
    signals,
    p: p === null ? null : Number(p.toPrecision(3)),
    factors: factors.map(factorText),
    action: response.action,
    held: response.held,
    until: response.until,
    requests: evidence.map(({ request }) => request),
  };
}

/** `network: 203.0.113.0/24 (usual: 10.0.0.0/24), p 0.001` */
function factorText({ name, observed, usual, p }: AlertFactor): string {
  const known = usual.length > 0 ? ` (usual: ${usual.slice(0, USUAL_TOLD).join(", ")})` : "";
  return `${name}: ${observed}${known}${p === null ? "" : `, p ${p.toPrecision(1)}`}`.slice(0, TEXT_MAX);
}
