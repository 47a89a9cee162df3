/**
 * Plans of right-sizing, one at a time for each caller: which keys, what they used, what would be left of their scope, and
 * what of the recorded decisions that would have denied. The audit log is read in its thread; what is decided here is
 * decided in slices, on one snapshot.
 */
import type { DataPermission } from "@sallyport/protocol";
import type { Boundary } from "../access/rightsizing/boundary.ts";
import type { Snapshot } from "../access/snapshot.ts";
import { LongWork } from "../kernel/long-work.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { PermissionUseSum } from "../usage/permission-use.ts";
import type { KeyDecisions } from "../usage/recorded-decisions.ts";
import type { KeyName } from "../usage/usage-report.ts";
import { dayOf } from "../usage/usage-row.ts";
import { replayDecisions } from "./decision-replay.ts";
import type { DecisionsReplayed } from "./decision-replay.ts";
import { proposeBoundary } from "./proposal.ts";
import type { NoProposal, UseHistory } from "./proposal.ts";

/** What keys did, of the keys asked, in their order. */
export interface KeyHistories {
  readonly keys: readonly { readonly uses: readonly PermissionUseSum[]; readonly days: number }[];
  /** Epoch ms. */
  readonly countedSince: number;
  readonly notedSince: number;
}

export interface PlanDeskPorts {
  readonly now: () => number;
  readonly snapshot: () => Snapshot;
  /** Includes everything that is on disk when it is called. */
  readonly histories: (keys: readonly KeyName[], fromDay: number) => Promise<KeyHistories>;
  readonly decisions: (
    question: { readonly keys: readonly KeyName[]; readonly since: number; readonly until: number },
    onProgress: (records: number) => void,
  ) => Promise<{ readonly keys: readonly KeyDecisions[]; readonly decisions: number; readonly from: number | null }>;
  /** Records of the audit log. */
  readonly records: () => number;
}

export interface PlanOrder {
  /** The keys, as they are without a boundary. */
  readonly keys: AsyncIterable<KeyRecord>;
  /** Uses longer ago than this do not count, ms. */
  readonly windowMs: number;
}

export interface KeyPlan {
  readonly environment: string;
  readonly key: string;
  readonly name: string;
  readonly before: Boundary;
  /** Null where there is no proposal. */
  readonly after: Boundary | null;
  readonly none: { readonly why: NoProposal; readonly says: string } | null;
  readonly unused: number;
  readonly removed: readonly DataPermission[];
  readonly narrowed: readonly DataPermission[];
  /** Null where there is no proposal. */
  readonly replay: DecisionsReplayed | null;
}

export interface PlanProgress {
  readonly state: "running" | "done" | "failed";
  /** How many records of the audit log were passed, and how many there are. */
  readonly records: number;
  readonly total: number;
  /** Recorded decisions that were read. */
  readonly decisions: number;
  readonly plans: readonly KeyPlan[];
  /** Time of the first record that was replayed, epoch ms; null without any. */
  readonly from: number | null;
  /** More keys matched than one plan holds. */
  readonly isTruncated: boolean;
  readonly failure: string | null;
}

const DAY_MS = 86_400_000;
/** Recorded decisions are replayed this far back. */
export const REPLAYED_DAYS = 90;
/** Keys of one plan, and plans that are held. */
export const PLAN_KEYS_MAX = 5_000;
const PLANS_MAX = 4;
/** Asked of the database together. */
const PAGE = 200;

export class PlanDesk {
  readonly #ports: PlanDeskPorts;
  /** By caller, the newest last. */
  readonly #plans = new Map<string, PlanProgress>();

  constructor(ports: PlanDeskPorts) {
    this.#ports = ports;
  }

  /** The newest plan of the caller; undefined without one. */
  planOf(caller: string): PlanProgress | undefined {
    return this.#plans.get(caller);
  }

  /** Begins a plan. Or says that one of the caller runs, or too many of others do. */
  begin(caller: string, order: PlanOrder): "begun" | "running" | "busy" {
    if (this.#plans.get(caller)?.state === "running") return "running";
    this.#plans.delete(caller);
    if (!this.#makeRoom()) return "busy";
    const running: PlanProgress = {
      state: "running",
      records: 0,
      total: this.#ports.records(),
      decisions: 0,
      plans: [],
      from: null,
      isTruncated: false,
      failure: null,
    };
    const show = (progress: PlanProgress): void => void this.#plans.set(caller, progress);
    show(running);
    this.#plan(order, (records) => show({ ...running, records })).then(show, (cause: unknown) =>
      show({ ...running, state: "failed", failure: cause instanceof Error ? cause.message : String(cause) }),
    );
    return "begun";
  }

  #makeRoom(): boolean {
    if (this.#plans.size < PLANS_MAX) return true;
    for (const [caller, { state }] of this.#plans) {
      if (state === "running") continue;
      this.#plans.delete(caller);
      return true;
    }
    return false;
  }

  async #plan({ keys, windowMs }: PlanOrder, onProgress: (records: number) => void): Promise<PlanProgress> {
    const work = new LongWork();
    const chosen: KeyRecord[] = [];
    let isTruncated = false;
    for await (const key of keys) {
      if ((isTruncated = chosen.length >= PLAN_KEYS_MAX)) break;
      chosen.push(key);
    }
    const snapshot = this.#ports.snapshot();
    const now = this.#ports.now();
    const plans: KeyPlan[] = [];
    for (let from = 0; from < chosen.length; from += PAGE) {
      const page = chosen.slice(from, from + PAGE);
      const histories = await this.#histories(page, now, windowMs);
      let at = 0;
      await work.each(page, (key) => void plans.push(planFor(key, snapshot, histories[at++]!)));
    }
    const proposed = plans.flatMap(({ environment, key, after }) => (after ? [{ environment, id: key }] : []));
    const until = this.#ports.now();
    const decided =
      proposed.length === 0
        ? { keys: [], decisions: 0, from: null }
        : await this.#ports.decisions({ keys: proposed, since: until - REPLAYED_DAYS * DAY_MS, until }, onProgress);
    const byKey = new Map(decided.keys.map((one) => [`${one.environment}/${one.id}`, one]));
    const records = new Map(chosen.map((key) => [`${key.environment}/${key.id}`, key]));
    const replayed = await work.flatMap(plans, (plan) => {
      const id = `${plan.environment}/${plan.key}`;
      return [replayPlan(plan, snapshot, records.get(id)!, byKey.get(id))];
    });
    const { decisions, from } = decided;
    const total = this.#ports.records();
    return { state: "done", records: total, total, decisions, plans: replayed, from, isTruncated, failure: null };
  }

  /** What one key would be left with, without a replay. */
  async propose(key: KeyRecord, windowMs: number): Promise<KeyPlan> {
    const [history] = await this.#histories([key], this.#ports.now(), windowMs);
    return planFor(key, this.#ports.snapshot(), history!);
  }

  async #histories(keys: readonly KeyRecord[], now: number, windowMs: number): Promise<readonly UseHistory[]> {
    const names = keys.map(({ environment, id }) => ({ environment, id }));
    const { keys: found, countedSince, notedSince } = await this.#ports.histories(names, dayOf(now - windowMs));
    return found.map(({ uses, days }) => ({ uses, days, countedSince, notedSince, now }));
  }
}

function planFor(key: KeyRecord, { roles }: Snapshot, history: UseHistory): KeyPlan {
  const { environment, id, name } = key;
  return { environment, key: id, name, ...proposeBoundary(key, roles, history), replay: null };
}

function replayPlan(plan: KeyPlan, snapshot: Snapshot, key: KeyRecord, recorded: KeyDecisions | undefined): KeyPlan {
  const { after } = plan;
  if (after === null) return plan;
  const [present, proposed] = [snapshot.rightOf(key), snapshot.rightOf({ ...key, boundary: after })];
  if (!present || !proposed) return plan;
  const replay = replayDecisions(present, proposed, recorded?.decisions ?? []);
  const unfolded = recorded?.unfolded ?? 0;
  return { ...plan, replay: { ...replay, of: replay.of + unfolded, unknown: replay.unknown + unfolded } };
}
