/**
 * Starts a review: freezes the population with its hash in the audit log, plants canary lines, distributes the lines. A
 * large one is written in several changes; it is open with the last.
 */
import { randomInt } from "node:crypto";
import { Problem } from "@sallyport/protocol";
import type { EventType, LedgerEvent } from "../../audit/event.ts";
import { randomBase62 } from "../../kernel/ids.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { sortInSlices } from "../../kernel/sort-in-slices.ts";
import { canaryCommitment, canaryCount, canaryLine } from "../../reviews/canary-lines.ts";
import { entryHashOf, PopulationHash } from "../../reviews/population.ts";
import type { Reviewer, ReviewLine, ReviewRecord, ReviewScope } from "../../reviews/review.ts";
import { riskPosition, risksOf } from "../../reviews/review-risk.ts";
import type { AdminPorts } from "../ports.ts";
import { isoTime } from "../views.ts";
import { whyDependent } from "./reviewers.ts";
import { surveyPopulation } from "./survey-population.ts";
import type { SurveyedSubject, SurveyPorts } from "./survey-population.ts";

export type StartPorts = SurveyPorts & Pick<AdminPorts, "reviews">;

export interface StartOrder {
  readonly environment: string;
  readonly scope: ReviewScope;
  readonly dueMs: number;
  readonly reviewers: readonly Reviewer[];
  readonly schedule: string | null;
  /** As recorded. */
  readonly actor: string;
  readonly event: (type: EventType, fields: LedgerEvent["fields"]) => LedgerEvent;
}

/** Lines of one change. */
const LINES_PER_CHANGE = 200;

/** Throws `conflict` while a review of the same kind is open, and `input_invalid` where there is nothing to review. */
export async function startReview(ports: StartPorts, order: StartOrder): Promise<ReviewRecord> {
  demandNoOther(ports, order);
  const { epoch, subjects } = await surveyPopulation(ports, order.environment, order.scope);
  if (subjects.length === 0) throw new Problem("input_invalid", "there is nothing to review");
  const work = new LongWork();
  const now = ports.clock.now();
  const planted = await plantCanaries(ports, order, subjects, now, work);
  const sorted = await sortInSlices(planted, ({ risks, entry }) => riskPosition(risks, entry.subject), work);
  const population = await sortInSlices(subjects, ({ entry }) => entry.subject, work);
  const hash = new PopulationHash();
  await work.each(population, ({ entry }) => hash.add(entry));
  const canaries = await work.flatMap(sorted.entries(), ([at, { isCanary }]) => (isCanary ? [at + 1] : []));
  const review: ReviewRecord = {
    id: `rev_${randomBase62(12)}`,
    environment: order.environment,
    scope: order.scope,
    state: "open",
    startedAt: now,
    startedBy: order.actor,
    dueAt: now + order.dueMs,
    epoch,
    entries: subjects.length,
    lines: sorted.length,
    populationHash: hash.digest(),
    reviewers: order.reviewers,
    schedule: order.schedule,
    reminded: [],
    canaries,
    canarySalt: randomBase62(43),
    withheld: [],
    closedAt: null,
    closedBy: null,
    result: null,
  };
  const turns = new Map<string, number>(order.reviewers.map(({ actor }) => [actor, 0]));
  const lines = await work.flatMap(sorted.entries(), ([at, surveyed]) => [
    lineOf(review.id, at + 1, surveyed, assign(ports, turns, surveyed)),
  ]);
  await write(ports, order, review, lines);
  return review;
}

function demandNoOther({ reviews }: Pick<AdminPorts, "reviews">, { environment, scope }: StartOrder): void {
  const other = reviews.all().find((one) => one.environment === environment && one.scope === scope && isUnderWay(one));
  if (other)
    throw new Problem("review_state", `review ${other.id} of ${environment} is open until ${isoTime(other.dueAt)}`);
}

export function isUnderWay({ state }: Pick<ReviewRecord, "state">): boolean {
  return state === "open" || state === "starting";
}

async function plantCanaries(
  { snapshot }: Pick<AdminPorts, "snapshot">,
  { environment }: StartOrder,
  subjects: readonly SurveyedSubject[],
  now: number,
  work: LongWork,
): Promise<readonly PlantedSubject[]> {
  const keys = await work.filter(subjects, ({ entry }) => entry.subject.startsWith("key:"));
  const lifetimeMs = snapshot().environments.get(environment)?.keyMaxAgeMs;
  if (keys.length === 0 || lifetimeMs === undefined) return subjects;
  const random = { below: (end: number) => randomInt(end), newId: () => randomBase62(12) };
  const places = Array.from({ length: canaryCount(subjects.length) }).keys();
  const canaries = await work.flatMap(places, (): PlantedSubject[] => {
    const model = keys[random.below(keys.length)]!;
    const { entry, evidence, permissions } = canaryLine(model.entry, lifetimeMs, now, random);
    const looks = { ...evidence, ownerState: model.evidence.ownerState };
    return [{ entry, evidence: looks, risks: risksOf(entry, looks, permissions, now), isCanary: true }];
  });
  return [...subjects, ...canaries];
}

type PlantedSubject = SurveyedSubject & { readonly isCanary?: boolean };

function lineOf(review: string, line: number, surveyed: SurveyedSubject, assignedTo: string | null): ReviewLine {
  const { entry, evidence, risks } = surveyed;
  return {
    review,
    line,
    version: 1,
    status: "open",
    assignedTo,
    entry,
    entryHash: entryHashOf(entry),
    evidence,
    risks,
    openings: [],
    decision: null,
    outcome: null,
    delegations: [],
  };
}

/** The independent reviewer with the fewest lines; null where no one is named, or none of them is independent. */
function assign(
  ports: Pick<AdminPorts, "keys" | "snapshot">,
  turns: Map<string, number>,
  { entry }: SurveyedSubject,
): string | null {
  let chosen: string | null = null;
  for (const [actor, lines] of turns)
    if ((chosen === null || lines < turns.get(chosen)!) && whyDependent(ports, actor, entry) === undefined)
      chosen = actor;
  if (chosen !== null) turns.set(chosen, turns.get(chosen)! + 1);
  return chosen;
}

async function write(
  ports: StartPorts,
  order: StartOrder,
  review: ReviewRecord,
  lines: readonly ReviewLine[],
): Promise<void> {
  const started = order.event("review.started", {
    review: review.id,
    scope: review.scope,
    entries: review.entries,
    lines: review.lines,
    population_sha256: review.populationHash,
    canary_commitment: canaryCommitment(review.canarySalt, review.canaries),
    reviewers: review.reviewers.map(({ actor }) => actor),
    epoch: review.epoch,
    due_at: review.dueAt,
    ...(review.schedule === null ? {} : { schedule: review.schedule }),
  });
  const chunks = Math.ceil(lines.length / LINES_PER_CHANGE);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const some = lines.slice(chunk * LINES_PER_CHANGE, (chunk + 1) * LINES_PER_CHANGE);
    const isLast = chunk === chunks - 1;
    const state = isLast ? "open" : "starting";
    await ports.changes.inTurn(() => {
      if (chunk === 0) demandNoOther(ports, order);
      const frozen = { review: review.id, first: some[0]!.line, last: some.at(-1)!.line };
      return ports.changes.change({
        operations: [
          ...(chunk === 0 || isLast ? [{ op: "review.put", review: { ...review, state } } as const] : []),
          { op: "review.freeze", lines: some },
        ],
        events: [isLast ? started : order.event("review.frozen", frozen)],
      });
    });
  }
}
