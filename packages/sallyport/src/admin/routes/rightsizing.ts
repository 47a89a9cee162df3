/** Right-sizing of keys: plans, shadows, boundaries. An administrator who may suspend a key may narrow it; ending a boundary asks the delegation scope. */
import { isDataPermission, parseSelector, Problem } from "@sallyport/protocol";
import { parseDurationMs } from "@sallyport/contract";
import type { KeyPlanView, PlannedView, RightsizingView } from "@sallyport/contract";
import { administers } from "../../access/attenuation.ts";
import { GUARD_DAYS, rightsizingId, SHADOW_DAYS } from "../../access/rightsizing/rightsizing.ts";
import type { BoundaryDenial, Rightsizing } from "../../access/rightsizing/rightsizing.ts";
import type { Boundary } from "../../access/rightsizing/boundary.ts";
import type { EventType } from "../../audit/event.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { sortInSlices } from "../../kernel/sort-in-slices.ts";
import type { KeyRecord } from "../../keys/key.ts";
import type { KeyPlan, PlanProgress } from "../../rightsizing/plan-desk.ts";
import { WINDOW_DAYS } from "../../rightsizing/proposal.ts";
import { demandEnvironment, eventOf, refuseMistakes } from "../call.ts";
import type { AnyCall, Call, Handlers } from "../call.ts";
import { everyKey } from "../each-key.ts";
import { findKey } from "../find-key.ts";
import { demandKnownEnvironment } from "../known-filter.ts";
import { isoTime } from "../views.ts";

const DAY_MS = 86_400_000;
const LIMIT_DEFAULT = 1_000;
const SHADOW_MAX_DAYS = 90;
/** Of its JSON text: it stands in the audit record. */
const BOUNDARY_MAX = 16_384;

type Routes =
  | "rightsizing.plan"
  | "rightsizing.planned"
  | "rightsizing.list"
  | "rightsizing.shadow"
  | "rightsizing.apply"
  | "rightsizing.stop";

export const rightsizingHandlers: Handlers<Routes> = {
  "rightsizing.plan": (call) => {
    const { role, environment } = call.body;
    if (environment !== undefined) {
      demandKnownEnvironment(call, environment);
      demandEnvironment(call, environment);
    }
    if (role !== undefined && !call.ports.snapshot().roles.has(role))
      throw new Problem("not_found", `there is no role ${role}`);
    const windowMs = windowOf(call.body.unused);
    const key = call.body.keyId === undefined ? undefined : wholeKey(findKey(call, call.body.keyId));
    const keys = key ? onlyOne(key) : keysOf(call);
    const begun = call.ports.plans.begin(call.caller.issuer.actor, { keys, windowMs });
    if (begun !== "begun")
      throw new Problem(
        "conflict",
        begun === "running"
          ? "a plan of yours is being made: wait until it is done"
          : "plans of other callers are being made: try again later",
      );
    return viewPlanned(call, {});
  },

  "rightsizing.planned": (call) => viewPlanned(call, call.query),

  "rightsizing.list": async (call) => {
    const { environment, key, after = "", limit = LIMIT_DEFAULT } = call.query;
    if (environment !== undefined) demandKnownEnvironment(call, environment);
    const work = new LongWork();
    const all = await work.filter(
      call.ports.rightsizings.all(),
      (one) =>
        administers(call.caller.issuer.right, one.environment) &&
        (environment === undefined || one.environment === environment) &&
        (key === undefined || one.key === key) &&
        rightsizingId(one) > after,
    );
    const sorted = await sortInSlices(all, rightsizingId, work);
    const page = sorted.slice(0, limit);
    const last = page.at(-1);
    return {
      rightsizings: page.map((one) => viewRightsizing(call, one)),
      next: last && sorted.length > page.length ? rightsizingId(last) : null,
    };
  },

  "rightsizing.shadow": async (call) => {
    const days = daysOf(call.body.for, SHADOW_DAYS, SHADOW_MAX_DAYS, "a shadow");
    const boundary = await proposedFor(call);
    return put(call, "rightsizing.shadowed", (key, present) => {
      demandUnsized(present);
      return beginning(call, key, { state: "shadow", boundary, days });
    });
  },

  "rightsizing.apply": async (call) => {
    const days = daysOf(call.body.guard, GUARD_DAYS, WINDOW_DAYS, "a guard");
    const held = heldBy(call);
    const isCompared = held?.state === "shadow" && call.body.boundary === undefined;
    const proposed = isCompared ? null : await proposedFor(call);
    return put(call, "rightsizing.applied", (key, present) => {
      const isShadow = present?.state === "shadow";
      if (!isShadow) demandUnsized(present);
      if (isShadow && proposed === null && present.differences > 0)
        throw new Problem(
          "rightsizing_conflict",
          `the shadow has seen ${present.differences} requests that the boundary would deny: stop it and plan again`,
        );
      const boundary = proposed ?? (isShadow ? present.boundary : null);
      // The shadow was stopped meanwhile: what to apply is not known.
      if (boundary === null) throw new Problem("rightsizing_conflict", "the shadow of the key has ended meanwhile");
      return beginning(call, key, { state: "applied", boundary, days });
    });
  },

  "rightsizing.stop": (call) =>
    put(call, "rightsizing.stopped", (_key, present) => {
      if (!present || present.state === "ended")
        throw new Problem("rightsizing_conflict", "the key is not right-sized");
      const now = call.ports.clock.now();
      return { ...present, state: "ended", end: { why: "stopped", by: call.caller.issuer.actor, at: now } };
    }),
};

/** In the turn of the change, with the key and its right-sizing as they are then. */
function put(
  call: Call<"rightsizing.shadow"> | Call<"rightsizing.apply"> | Call<"rightsizing.stop">,
  type: Extract<EventType, `rightsizing.${string}`>,
  next: (key: KeyRecord, present: Rightsizing | undefined) => Rightsizing,
): Promise<RightsizingView> {
  return call.ports.changes.inTurn(async () => {
    const key = findKey(call, call.body.keyId);
    const rightsizing = next(key, call.ports.rightsizings.get(key.environment, key.id));
    const fields = {
      key: key.id,
      name: key.name,
      owner: key.owner,
      state: rightsizing.state,
      until: isoTime(rightsizing.until),
      boundary: boundaryTexts(rightsizing.boundary),
    };
    await call.ports.changes.change({
      operations: [{ op: "rightsizing.put", rightsizing }],
      events: [eventOf(call, type, key.environment, fields)],
    });
    return viewRightsizing(call, rightsizing);
  });
}

function beginning(
  { ports, caller }: AnyCall,
  { environment, id, state: keyState }: KeyRecord,
  { state, boundary, days }: { state: "shadow" | "applied"; boundary: Boundary; days: number },
): Rightsizing {
  if (keyState !== "active") throw new Problem("rightsizing_conflict", `key ${id} is ${keyState}`);
  const at = ports.clock.now();
  const counted = { compared: 0, differences: 0, examples: [], end: null };
  return { environment, key: id, state, boundary, by: caller.issuer.actor, at, until: at + days * DAY_MS, ...counted };
}

function demandUnsized(present: Rightsizing | undefined): void {
  if (present && present.state !== "ended")
    throw new Problem(
      "rightsizing_conflict",
      present.state === "shadow"
        ? "the key has a shadow already: stop it first"
        : "the key is right-sized: stop it first",
    );
}

function heldBy(call: Call<"rightsizing.apply">): Rightsizing | undefined {
  const key = findKey(call, call.body.keyId);
  return call.ports.rightsizings.get(key.environment, key.id);
}

async function proposedFor(call: Call<"rightsizing.shadow"> | Call<"rightsizing.apply">): Promise<Boundary> {
  const key = wholeKey(findKey(call, call.body.keyId));
  if (call.body.boundary) return chosenBoundary(call.body.boundary);
  const { after, none } = await call.ports.plans.propose(key, windowOf(call.body.unused));
  if (after === null) throw new Problem("rightsizing_conflict", `key ${key.id}: ${none?.says ?? "unknown"}`);
  return after;
}

/** A boundary only narrows, so the caller may choose any. */
function chosenBoundary(boundary: NonNullable<Call<"rightsizing.apply">["body"]["boundary"]>): Boundary {
  const grants = boundary.map(({ permissions, models }) => ({
    permissions: permissions.filter(isDataPermission),
    models,
  }));
  const invalid = grants.flatMap(({ models }) => models ?? []).filter((text) => parseSelector(text) === undefined);
  if (JSON.stringify(grants).length > BOUNDARY_MAX)
    throw new Problem("input_invalid", `a boundary is at most ${BOUNDARY_MAX} characters long`);
  refuseMistakes(invalid.map((text) => `boundary: ${JSON.stringify(text)} is no model selector`));
  return grants;
}

/** The key as it is without a boundary. */
function wholeKey(key: KeyRecord): KeyRecord {
  const { boundary: _boundary, ...whole } = key;
  return whole;
}

async function* onlyOne(key: KeyRecord): AsyncGenerator<KeyRecord> {
  yield key;
}

async function* keysOf({ ports, caller, body }: Call<"rightsizing.plan">): AsyncGenerator<KeyRecord> {
  const { role, environment } = body;
  const snapshot = ports.snapshot();
  for await (const key of everyKey(ports, environment === undefined ? {} : { environment }, new LongWork())) {
    if (key.admin !== null || key.state === "revoked" || key.session !== null) continue;
    if (!administers(caller.issuer.right, key.environment)) continue;
    if (role !== undefined && !key.ceiling.roles.includes(role) && !hasRole(key, role)) continue;
    yield key;
  }

  function hasRole({ owner, environment: name }: KeyRecord, wanted: string): boolean {
    const principal = owner === null ? undefined : snapshot.principals.get(owner);
    if (!principal) return false;
    return snapshot.assignments
      .about(principal)
      .some((one) => one.environment === name && one.right.roles.includes(wanted) && snapshot.holds(principal, one));
  }
}

function windowOf(unused: string | undefined): number {
  return daysOf(unused, WINDOW_DAYS, WINDOW_DAYS, "the time without use") * DAY_MS;
}

function daysOf(text: string | undefined, usual: number, most: number, what: string): number {
  const days = text === undefined ? usual : (parseDurationMs(text) ?? 0) / DAY_MS;
  if (days < 1 || days > most) throw new Problem("input_invalid", `${what} lasts from 1 to ${most} days`);
  return days;
}

interface Page {
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

function viewPlanned(call: AnyCall, page: Page): PlannedView {
  const progress = call.ports.plans.planOf(call.caller.issuer.actor);
  if (!progress) return { ...IDLE };
  const { state, records, total, decisions, from, isTruncated, failure } = progress;
  const { plans, next } = planPage(call, progress, page);
  return {
    state,
    records,
    total,
    decisions,
    from: from === null ? null : isoTime(from),
    plans,
    isTruncated,
    next,
    failure,
  };
}

/** What the caller administers by now. */
function planPage(
  { caller }: AnyCall,
  { plans }: PlanProgress,
  { after, limit = LIMIT_DEFAULT }: Page,
): { readonly plans: KeyPlanView[]; readonly next: string | null } {
  const from = after === undefined || !/^[0-9]{1,9}$/.test(after) ? 0 : Number(after);
  const page = plans.slice(from, from + limit);
  const shown = page.filter(({ environment }) => administers(caller.issuer.right, environment));
  return { plans: shown.map(viewPlan), next: from + limit < plans.length ? String(from + limit) : null };
}

const IDLE: PlannedView = {
  state: "idle",
  records: 0,
  total: 0,
  decisions: 0,
  from: null,
  plans: [],
  isTruncated: false,
  next: null,
  failure: null,
};

function viewPlan({
  environment,
  key,
  name,
  before,
  after,
  none,
  unused,
  removed,
  narrowed,
  replay,
}: KeyPlan): KeyPlanView {
  return {
    subject: `key:${key}`,
    environment,
    key,
    keyName: name,
    before: viewBoundary(before),
    after: after && viewBoundary(after),
    reason: none?.says ?? null,
    unused,
    removed: [...removed],
    narrowed: [...narrowed],
    of: replay?.of ?? 0,
    wouldDeny: replay?.wouldDeny ?? 0,
    deniedAnyway: replay?.deniedAnyway ?? 0,
    unknown: replay?.unknown ?? 0,
    examples: (replay?.examples ?? []).map(viewDenial),
  };
}

function viewRightsizing({ ports }: AnyCall, record: Rightsizing): RightsizingView {
  const { environment, key, state, boundary, by, at, until, compared, differences, examples, end } = record;
  return {
    subject: `key:${key}`,
    environment,
    key,
    keyName: ports.keys.find(environment, key)?.name ?? null,
    state,
    boundary: viewBoundary(boundary),
    by,
    at: isoTime(at),
    until: isoTime(until),
    compared,
    differences,
    examples: examples.map(viewDenial),
    end: end && { ...end, at: isoTime(end.at) },
  };
}

function viewBoundary(boundary: Boundary): RightsizingView["boundary"] {
  return boundary.map(({ permissions, models }) => ({
    permissions: [...permissions],
    models: models && [...models],
  }));
}

function viewDenial({ at, request, demanded }: BoundaryDenial): RightsizingView["examples"][number] {
  return { at: isoTime(at), request, demanded };
}

/** `infer:chat, infer:generate on llama3.2:latest` */
function boundaryTexts(boundary: Boundary): readonly string[] {
  return boundary.map(({ permissions, models }) =>
    models === null ? permissions.join(", ") : `${permissions.join(", ")} on ${models.join(", ")}`,
  );
}
