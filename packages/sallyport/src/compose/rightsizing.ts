/** Joins right-sizing: exchanges in, differences and boundaries that are taken back out; and what plans are made from. */
import { isRefusal } from "@sallyport/protocol";
import type { DataPermission, ProblemCode } from "@sallyport/protocol";
import { decide, isHeldAnywhere, isWithin } from "../access/decide.ts";
import type { EffectiveRight } from "../access/snapshot.ts";
import type { EndListener } from "../dataplane/ending.ts";
import type { Exchange } from "../dataplane/exchange.ts";
import { rightOf } from "../dataplane/exchange-right.ts";
import { readTokenRequest } from "../dataplane/oauth/token-request.ts";
import { refuseEndpoint } from "../dataplane/stages/limit.ts";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import type { KeyRecord } from "../keys/key.ts";
import { BoundaryGuard } from "../rightsizing/boundary-guard.ts";
import type { EndedRequest } from "../rightsizing/boundary-guard.ts";
import { PlanDesk } from "../rightsizing/plan-desk.ts";
import type { Core } from "./core.ts";

const DUE_MS = 60_000;

export interface OpenRightsizing {
  readonly listener: EndListener;
  /** Writes what shadows have counted. */
  close(): Promise<void>;
}

export function openRightsizing(core: Core, log: Log): OpenRightsizing {
  const { clock, rightsizings, restrictions, changes } = core;
  const guard = new BoundaryGuard({
    now: () => clock.now(),
    rightsizings,
    key: (environment, id) => core.keys.find(environment, id),
    isRestricted: (environment, id) => restrictions.of(environment, id).length > 0,
    changes,
    fault: (cause) => log.error({ cause: causeOf(cause) }, "the right-sizing of a key could not be written"),
  });
  const due = setInterval(() => guard.writeDue(), DUE_MS).unref();
  return {
    listener: {
      ended(exchange) {
        const { key, endpoint } = exchange;
        if (!key || !endpoint) return;
        const record = rightsizings.openOf(key.environment, key.id);
        if (record) guard.see(record, endedRequest(core, exchange));
      },
    },
    async close() {
      clearInterval(due);
      guard.writeDue(true);
      await guard.settled();
    },
  };
}

/** Of what a request asked for, in records. */
const ASKED_MAX = 200;
/** Denials that a boundary can cause. */
const CODES: ReadonlySet<ProblemCode> = new Set(["permission_denied", "model_denied", "scope_invalid"]);

function endedRequest(core: Pick<Core, "keys" | "snapshot">, exchange: Exchange): EndedRequest {
  const { key, endpoint, id, at, refusal } = exchange;
  const demands = exchange.question?.demands ?? exchange.demands;
  const relied = exchange.serialized?.relied ?? [];
  const model = demands[0]?.model ?? null;
  return {
    environment: key!.environment,
    key: key!.id,
    at,
    id,
    demands: relied.length === 0 ? demands : [...demands, ...relied.map((permission) => ({ permission, model }))],
    isAdmitted: exchange.ticket !== null || exchange.isUnrecorded,
    isDenied: refusal !== null && CODES.has(refusal.code),
    asked: (refusal?.detail ?? endpoint!.id).slice(0, ASKED_MAX),
    isDeniedByBoundaryAlone: () => isDeniedByBoundaryAlone(core, exchange),
  };
}

function isDeniedByBoundaryAlone({ keys, snapshot }: Pick<Core, "keys" | "snapshot">, exchange: Exchange): boolean {
  const key = keys.find(exchange.key!.environment, exchange.key!.id);
  if (!key?.boundary) return false;
  const { boundary: _boundary, ...whole } = key;
  const [without, present] = [rightOf(snapshot(), whole, exchange.token), rightOf(snapshot(), key, exchange.token)];
  return (
    without !== undefined &&
    present !== undefined &&
    isAllowed(without, whole, exchange) &&
    !isAllowed(present, key, exchange)
  );
}

/** As far as the request was read: what it demands, what the token it asked for would have, or the endpoint at all. */
function isAllowed(right: EffectiveRight, key: KeyRecord, exchange: Exchange): boolean {
  const { understood, endpoint, form } = exchange;
  if (refuseEndpoint(endpoint!, key, right)) return false;
  if (understood) {
    const { offers, registries, asked } = understood;
    const demands = exchange.demands.length > 0 ? exchange.demands : understood.demands;
    return decide(right, { demands, offers, registries, asked }, exchange).isAllowed;
  }
  if (endpoint!.id !== "oauth.token" || form === null) return true;
  const request = readTokenRequest(form, form.get("audience") ?? form.get("resource") ?? "");
  if (isRefusal(request)) return false;
  const isHeld = (permission: DataPermission): boolean => isHeldAnywhere(right, permission);
  return (
    (request.permissions ?? []).every(isHeld) && (request.models ?? []).every((selector) => isWithin(right, selector))
  );
}

/** Plans from the counters and the audit log, which their own thread reads. */
export function makePlanDesk({
  clock,
  store,
  audit,
  snapshot,
}: Pick<Core, "clock" | "store" | "audit" | "snapshot">): PlanDesk {
  return new PlanDesk({
    now: () => clock.now(),
    snapshot,
    async histories(keys, fromDay) {
      await store.countUsage();
      return audit.histories(keys, fromDay);
    },
    decisions: (question, onProgress) => audit.decisions(question, onProgress),
    records: () => store.figures().records,
  });
}
