/** Lives through a generated year with the parts of the program that right-size keys, joined in memory. */
import type { DataPermission } from "@sallyport/protocol";
import { parseModelName } from "@sallyport/protocol";
import {
  AFTER_DAYS,
  BoundaryGuard,
  compileSnapshot,
  decide,
  defaultEnvironment,
  isWithinBoundary,
  PermissionUseFold,
  proposeBoundary,
  replayDecisions,
  Rightsizings,
  workingYear,
  YEAR_DAYS,
  YEAR_START_MS,
} from "./program-under-test.ts";
import type {
  Change,
  KeyRecord,
  NoProposal,
  PermissionUseSum,
  RecordedDecision,
  Rightsizing,
  YearHabit,
  YearRequest,
} from "./program-under-test.ts";
import { keyOf, principalOf } from "./builders.ts";

const DAY_MS = 86_400_000;

export interface LivedYear {
  readonly requests: number;
  readonly proposed: number;
  /** Keys without a proposal, by why. */
  readonly refused: Readonly<Partial<Record<NoProposal, number>>>;
  /** Recorded decisions of the last 90 days that the boundaries would have denied. */
  readonly replayDenies: number;
  /** Requests with a reason that were denied in the month after, by key. */
  readonly wrongDenials: readonly { readonly id: string; readonly habit: YearHabit; readonly denials: number }[];
  readonly takenBack: readonly string[];
  /** Requests without a reason that a boundary denied. */
  readonly rightDenials: number;
  /** Permissions of all keys with a proposal that were not used in the year, and those of them that were taken away. */
  readonly unused: number;
  readonly removed: number;
  /** The same of all keys. */
  readonly unusedOfAll: number;
}

export async function liveYear(seed: number): Promise<LivedYear> {
  const { subjects, days } = workingYear(seed);
  const keys = new Map(
    subjects.map(({ id, since, permissions, models }) => {
      const ceiling = { roles: [], allow: permissions as readonly DataPermission[], models };
      return [id, keyOf({ id, environment: "dev", ceiling, createdAt: YEAR_START_MS + since * DAY_MS })] as const;
    }),
  );
  const allow = [...new Set(subjects.flatMap(({ permissions }) => permissions))] as readonly DataPermission[];
  const everything = { roles: [], allow, models: ["*"] };
  const snapshot = compileSnapshot({
    epoch: 1,
    environments: [{ ...defaultEnvironment, name: "dev", upstreams: [{ id: "u", url: "http://127.0.0.1:1" }] }],
    roles: [],
    principals: [principalOf("p")],
    assignments: [
      {
        id: "a",
        subject: { principal: "p" },
        environment: "dev",
        right: everything,
        source: "admin",
      },
    ],
  });
  let nowMs = YEAR_START_MS + YEAR_DAYS * DAY_MS;
  const rightsizings = new Rightsizings(() => []);
  const keyNow = (id: string): KeyRecord => rightsizings.over(keys.get(id)!);
  const apply = ({ operations }: Change): void =>
    rightsizings.apply(
      operations.flatMap((operation) =>
        operation.op === "rightsizing.put"
          ? [{ of: "rightsizing" as const, id: operation.rightsizing.key, now: operation.rightsizing }]
          : [],
      ),
    );
  const guard = new BoundaryGuard({
    now: () => nowMs,
    rightsizings,
    key: (_environment, id) => keyNow(id),
    isRestricted: () => false,
    changes: {
      inTurn: (work) => work(),
      change: async (change) => {
        apply(change);
        return { epoch: 1, seq: 1 };
      },
    },
    fault: (cause) => {
      throw cause;
    },
  });

  const fold = new PermissionUseFold();
  const recent = new Map<string, Map<string, RecordedDecision>>();
  let requests = 0;
  for (const day of days.slice(0, YEAR_DAYS)) {
    for (const request of day) {
      requests++;
      const { subject } = request;
      fold.add(recordedDemand(request));
      if (request.day >= YEAR_DAYS - 90) countDecision(recent, subject.id, request);
    }
  }
  const sums = sumsByKey(fold);

  const refused: Partial<Record<NoProposal, number>> = {};
  const totals = { proposed: 0, replayDenies: 0, unused: 0, removed: 0, unusedOfAll: 0 };
  for (const [id, key] of keys) {
    const { uses = [], days: used = 0 } = sums.get(id) ?? {};
    const history = { uses, days: used, countedSince: YEAR_START_MS, notedSince: YEAR_START_MS, now: nowMs };
    const { after, none, unused, removed } = proposeBoundary(key, snapshot.roles, history);
    totals.unusedOfAll += unused;
    if (after === null) {
      refused[none!.why] = (refused[none!.why] ?? 0) + 1;
      continue;
    }
    totals.proposed++;
    totals.unused += unused;
    totals.removed += removed.length;
    const [present, proposed] = [snapshot.rightOf(key)!, snapshot.rightOf({ ...key, boundary: after })!];
    totals.replayDenies += replayDecisions(present, proposed, recent.get(id)?.values() ?? []).wouldDeny;
    const counted = { compared: 0, differences: 0, examples: [], end: null };
    const begun = { boundary: after, by: "test", at: nowMs, until: nowMs + 32 * DAY_MS };
    const applied: Rightsizing = { environment: "dev", key: id, state: "applied", ...begun, ...counted };
    apply({ operations: [{ op: "rightsizing.put", rightsizing: applied }], events: [NO_EVENT] });
  }

  const denials = new Map<string, number>();
  let rightDenials = 0;
  for (const request of days.slice(YEAR_DAYS, YEAR_DAYS + AFTER_DAYS).flat()) {
    const { subject, isLegitimate } = request;
    nowMs = YEAR_START_MS + request.day * DAY_MS + request.ms;
    const isAllowed = (key: KeyRecord): boolean => decide(snapshot.rightOf(key)!, questionOf(request), MET).isAllowed;
    if (isAllowed(keyNow(subject.id))) continue;
    if (!isLegitimate) rightDenials++;
    else if (isAllowed(keys.get(subject.id)!)) denials.set(subject.id, (denials.get(subject.id) ?? 0) + 1);
    const record = rightsizings.openOf("dev", subject.id);
    if (!record) continue;
    const demands = questionOf(request).demands;
    if (isWithinBoundary(record.boundary, demands)) throw new Error("denied, and within the boundary");
    guard.see(record, {
      environment: "dev",
      key: subject.id,
      at: nowMs,
      id: "r",
      demands,
      isAdmitted: false,
      isDenied: true,
      asked: request.permissions.join(),
      isDeniedByBoundaryAlone: () => isAllowed(keys.get(subject.id)!) && !isAllowed(keyNow(subject.id)),
    });
    await guard.settled();
  }
  const habits = new Map(subjects.map(({ id, habit }) => [id, habit]));
  return {
    requests,
    refused,
    ...totals,
    wrongDenials: [...denials].map(([id, count]) => ({ id, habit: habits.get(id)!, denials: count })),
    takenBack: rightsizings.all().flatMap(({ key, end }) => (end?.why === "taken_back" ? [key] : [])),
    rightDenials,
  };
}

const NO_EVENT = { type: "rightsizing.applied", at: 0, environment: "dev", actor: "test", fields: {} } as const;
const MET = { address: "", isSigned: true, isIdentified: true };

function demandedText({ permissions, model }: YearRequest): string {
  const list = permissions.map((permission) => JSON.stringify(permission)).join(",");
  return `${list}|${model === null ? "null" : JSON.stringify(model)}`;
}

function recordedDemand(request: YearRequest) {
  const at = YEAR_START_MS + request.day * DAY_MS + request.ms;
  const about = { environment: "dev", key: request.subject.id, request: "r", isDenied: false };
  return { at, ...about, demanded: demandedText(request) };
}

function questionOf({ permissions, model }: YearRequest) {
  const name = model === null ? null : parseModelName(model)!;
  const demands = (permissions as readonly DataPermission[]).map((permission) => ({
    permission,
    model: name,
    field: "model",
  }));
  return { demands, offers: [], registries: [], asked: { images: 0 } };
}

function countDecision(all: Map<string, Map<string, RecordedDecision>>, id: string, request: YearRequest): void {
  const decisions = all.get(id) ?? new Map<string, RecordedDecision>();
  all.set(id, decisions);
  const demanded = demandedText(request);
  const { count = 0 } = decisions.get(demanded) ?? {};
  decisions.set(demanded, { demanded, count: count + 1, firstAt: 0, firstRequest: "r" });
}

/** As the store sums its rows. */
function sumsByKey(fold: PermissionUseFold): Map<string, { uses: PermissionUseSum[]; days: number }> {
  const sums = new Map<string, { uses: Map<string, PermissionUseSum>; days: Set<number> }>();
  for (const { key, permission, model, count, firstAt, lastAt, day } of fold.rows()) {
    const held = sums.get(key) ?? { uses: new Map<string, PermissionUseSum>(), days: new Set<number>() };
    sums.set(key, held);
    held.days.add(day);
    const name = `${permission} ${model}`;
    const before = held.uses.get(name);
    held.uses.set(name, { permission, model, used: (before?.used ?? 0) + count, denied: 0, days: 0, firstAt, lastAt });
  }
  return new Map([...sums].map(([key, { uses, days }]) => [key, { uses: [...uses.values()], days: days.size }]));
}
