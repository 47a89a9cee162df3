/**
 * The population of an environment at one state of policy and keys. It is read in slices while others change things, and
 * again where they did; if they never pause, in a turn in which nothing changes.
 */
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import { holdingsOf } from "../../access/holding.ts";
import { LongWork } from "../../kernel/long-work.ts";
import type { PopulationEntry, ReviewEvidence, ReviewScope, ReviewRisk } from "../../reviews/review.ts";
import { risksOf } from "../../reviews/review-risk.ts";
import { everyKey } from "../each-key.ts";
import type { AdminPorts } from "../ports.ts";
import { reviewEvidence, readFacts } from "./review-facts.ts";
import type { SubjectFacts } from "./review-facts.ts";
import { entryOf, findSubject, grantsOf } from "./review-subject.ts";
import type { FoundSubject } from "./review-subject.ts";

export interface SurveyedSubject {
  readonly entry: PopulationEntry;
  readonly evidence: ReviewEvidence;
  readonly risks: readonly ReviewRisk[];
}

export interface PopulationSurvey {
  readonly epoch: number;
  readonly subjects: readonly SurveyedSubject[];
}

/** More cannot be held at once. */
export const SUBJECTS_MAX = 100_000;
const TRIES_BESIDE_CHANGES = 3;

export type SurveyPorts = Pick<
  AdminPorts,
  "clock" | "snapshot" | "keys" | "uses" | "usage" | "audit" | "listKeys" | "changes"
>;

export async function surveyPopulation(
  ports: SurveyPorts,
  environment: string,
  scope: ReviewScope,
): Promise<PopulationSurvey> {
  const facts = await readFacts(ports, environment);
  for (let tries = 0; tries < TRIES_BESIDE_CHANGES; tries++) {
    const { epoch } = ports.snapshot();
    const subjects = await survey(ports, environment, scope, facts);
    if (ports.snapshot().epoch === epoch) return { epoch, subjects };
  }
  return ports.changes.inTurn(async () => {
    const { epoch } = ports.snapshot();
    return { epoch, subjects: await survey(ports, environment, scope, facts) };
  });
}

async function survey(
  ports: SurveyPorts,
  environment: string,
  scope: ReviewScope,
  facts: SubjectFacts,
): Promise<SurveyedSubject[]> {
  const work = new LongWork();
  const now = ports.clock.now();
  const snapshot = ports.snapshot();
  const subjects: SurveyedSubject[] = [];
  const add = (found: FoundSubject, subject: string): void => {
    const entry = entryOf(ports, environment, found, facts.issuers.get(subject) ?? null);
    const evidence = reviewEvidence(ports, environment, found, entry, facts);
    const permissions = new Set(grantsOf(ports, environment, found).map(({ permission }) => permission));
    const risks = risksOf(entry, evidence, [...permissions], now);
    if (scope === "privileged" && !risks.includes("privileged")) return;
    if (subjects.length === SUBJECTS_MAX)
      throw new Problem(
        "input_invalid",
        `the environment has more than ${SUBJECTS_MAX} rights to review: start a review of the privileged ones (--scope privileged)`,
      );
    subjects.push({ entry, evidence, risks });
  };
  const owners = new Set<string>();
  for await (const { id, session, owner } of everyKey(ports, { environment }, work)) {
    // A log-in has exactly its user's rights, and those have separate lines.
    if (session !== null) continue;
    const found = findSubject(ports, environment, `key:${id}`);
    if (!found) continue;
    if (owner !== null) owners.add(owner);
    add(found, `key:${id}`);
  }
  for await (const { id } of everyKey(ports, { environment: SYSTEM_REALM }, work)) {
    const found = findSubject(ports, environment, `admin_key:${id}`);
    if (found) add(found, `admin_key:${id}`);
  }
  await work.each(snapshot.assignments, (assignment) => {
    if (assignment.environment === environment) add({ kind: "assignment", assignment }, `assignment:${assignment.id}`);
  });
  await work.each(snapshot.principals.values(), (service) => {
    if (service.kind !== "service") return;
    const isHere =
      owners.has(service.id) || holdingsOf(service, snapshot).some((one) => one.environment === environment);
    if (isHere) add({ kind: "service", service }, `service:${service.id}`);
  });
  return subjects;
}
